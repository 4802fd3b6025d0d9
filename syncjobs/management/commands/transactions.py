"""`manage.py transactions CLIENT`: what waits for the server, what failed, and trying again."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from connections.models import Connection
from syncjobs import handling, instant
from syncjobs.api.transactions import TransactionSerializer
from syncjobs.causes import causes
from syncjobs.errors import LaneBusy
from syncjobs.management.finding import find
from syncjobs.models import OfflineTransaction
from syncjobs.recipes import recipe
from syncjobs.record_names import record_names

SHOWN = 50
ALL = "all"


class Command(BaseCommand):
    """List transactions and causes, or set some to Pending or Archived."""

    help = (
        "List the offline transactions of CLIENT and why those in Error failed. --retry and "
        "--archive change them first. Exit codes: 0 none in Error, 2 wrong arguments, 3 some are "
        "in Error, 5 a delivery is under way."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("client", help="name of the client organization")
        parser.add_argument("--status", choices=OfflineTransaction.Status.values)
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--retry", nargs="+", metavar="ID", help="set to Pending; 'all' in Error")
        act.add_argument("--archive", nargs="+", metavar="ID", help="set to Archived")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change what was asked for, then list."""
        connection = find(options["client"])
        changed = self._act(connection, options["retry"], options["archive"])
        rows = handling.of_connection(connection).order_by("-first_version", "-pk")
        if options["status"]:
            rows = rows.filter(status=options["status"])
        failed = handling.of_connection(connection).filter(status="error").count()
        if options["json"]:
            self._print_document(connection, rows, changed)
        else:
            self._print(connection, rows, changed)
        if failed:
            raise CommandError(f"{_counted(failed, 'is', 'are')} in Error.", returncode=3)

    def _act(
        self, connection: Connection, retry: list[str] | None, archive: list[str] | None
    ) -> int | None:
        if retry == [ALL]:
            changed = handling.set_all_pending(connection, actor="command")
        elif retry:
            changed = handling.set_pending(connection, _ids(connection, retry), actor="command")
        elif archive:
            try:
                changed = handling.set_archived(
                    connection, _ids(connection, archive), actor="command"
                )
            except LaneBusy as error:
                raise CommandError(f"{error} Try again later.", returncode=5) from error
        else:
            return None
        instant.wake(connection.pk)
        return changed

    def _print(
        self, connection: Connection, rows: Iterable[OfflineTransaction], changed: int | None
    ) -> None:
        if changed is not None:
            self.stdout.write(f"{_counted(changed, 'was', 'were')} changed.")
        listed = list(rows)
        names = record_names(connection, listed[:SHOWN])
        for row in listed[:SHOWN]:
            what = f"{row.action} {row.entity.name} {names.get(row.pk, row.client_id)}"
            self.stdout.write(f"{row.pk:>8}  {row.status:<9}  {what}  {row.message}".rstrip())
        if len(listed) > SHOWN:
            self.stdout.write(f"and {len(listed) - SHOWN:,} more; --json lists all.")
        if not listed:
            self.stdout.write("No transactions.")
        for cause in causes(connection):
            advice = recipe(connection, cause)
            self.stdout.write(f"{cause.count:,} × {cause.entity.name}: {cause.message}")
            self.stdout.write(f"  {advice.words}")

    def _print_document(
        self, connection: Connection, rows: Iterable[OfflineTransaction], changed: int | None
    ) -> None:
        told = [
            {
                "cause": one.key,
                "entity": one.entity.name,
                "code": one.code,
                "message": one.message,
                "count": one.count,
                "advice": recipe(connection, one).words,
            }
            for one in causes(connection)
        ]
        listed = TransactionSerializer(list(rows), many=True).data
        document = {"changed": changed, "transactions": listed, "causes": told}
        self.stdout.write(orjson.dumps(document, default=str).decode())


def _counted(count: int, one: str, many: str) -> str:
    return f"1 transaction {one}" if count == 1 else f"{count:,} transactions {many}"


def _ids(connection: Connection, texts: Sequence[str]) -> list[int]:
    """Return the numbers, all of transactions of the connection."""
    asked = [int(text) for text in texts if text.isdecimal()]
    known = set(
        handling.of_connection(connection).filter(pk__in=asked).values_list("pk", flat=True)
    )
    wrong = [text for text in texts if not (text.isdecimal() and int(text) in known)]
    if wrong:
        raise CommandError(
            f"'{wrong[0]}' is not the number of a transaction of '{connection.name}'; the list "
            "shows them. Nothing was changed.",
            returncode=2,
        )
    return asked
