"""`manage.py held CLIENT`: deletions that wait for a decision."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from connections.models import Connection
from syncjobs import dispatch, held
from syncjobs.management.finding import find
from syncjobs.management.running import finish
from syncjobs.models import HeldDeletions

BY = "command"


class Command(BaseCommand):
    """List what waits; approve it and delete it at once, or decline it."""

    help = (
        "List the deletions of CLIENT's connection that are so many that somebody must decide. "
        "--approve E deletes those of entity E now, --decline E keeps them. Exit codes: as sync."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("client", help="name of the client organization")
        decision = parser.add_mutually_exclusive_group()
        decision.add_argument("--approve", metavar="ENTITY", help="delete them on the client")
        decision.add_argument("--decline", metavar="ENTITY", help="keep them on the client")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or decide."""
        connection = find(options["client"])
        if name := options["approve"]:
            row = _waiting(connection, name)
            held.approve(connection, row.pk, by=BY, count=row.count)
            run = dispatch.start_sync(
                connection, reason="approved deletions", entities=[name], inline=True
            )
            finish(self, run, as_document=options["json"])
        elif name := options["decline"]:
            row = _waiting(connection, name)
            held.decline(connection, row.pk, by=BY, count=row.count)
            self._print([row], as_document=options["json"], word="kept")
        else:
            rows = list(held.waiting(connection))
            self._print(rows, as_document=options["json"], word="wait")

    def _print(self, rows: list[HeldDeletions], *, as_document: bool, word: str) -> None:
        if as_document:
            self.stdout.write(orjson.dumps([_document(row) for row in rows]).decode())
            return
        if not rows:
            self.stdout.write("No deletion waits for a decision.")
        for row in rows:
            self.stdout.write(f"{row.entity.name}: {row.count:,} {word}. {row.reason}")
            for line in row.sample:
                self.stdout.write(f"  {line['id']} {line['name']} ({line['why']})")


def _waiting(connection: Connection, name: str) -> HeldDeletions:
    rows = held.waiting(connection)
    found = rows.filter(entity__name=name).first()
    if found is None:
        known = ", ".join(row.entity.name for row in rows) or "none"
        raise CommandError(f"No deletion of '{name}' waits. Waiting: {known}.", returncode=2)
    return found


def _document(row: HeldDeletions) -> dict[str, Any]:
    return {
        "entity": row.entity.name,
        "count": row.count,
        "linked": row.linked,
        "reason": row.reason,
        "sample": row.sample,
        "state": row.state,
    }
