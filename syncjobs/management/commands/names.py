"""`manage.py names CLIENT`: which attributes have other names on the client, and changing them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from connections.models import SyncedEntity
from connections.naming import editing
from organizations.errors import InvalidRequest
from syncjobs.management.finding import find


class Command(BaseCommand):
    """Show the names of a connection, or change those of one entity."""

    help = (
        "Show which attributes have other names on the client than on the server. With ENTITY, "
        "--set and --remove change its names, --reset uses those that are suggested; run Update "
        "Server afterwards. Exit codes: 0 done, 2 wrong arguments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("client", help="name of the client organization")
        parser.add_argument("entity", nargs="?", help="logical name")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="SERVER=CLIENT",
            help="the server's attribute has that name on the client; can be given again",
        )
        parser.add_argument(
            "--remove",
            action="append",
            default=[],
            metavar="SERVER",
            help="the server's attribute has its own name on the client; can be given again",
        )
        parser.add_argument("--reset", action="store_true", help="use the suggestion")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change what is to be changed, and print."""
        connection = find(options["client"])
        is_change = bool(options["set"] or options["remove"] or options["reset"])
        if options["entity"] is None:
            if is_change:
                raise CommandError("Name the entity whose names are changed.", returncode=2)
            rows = editing.listed(connection)
        else:
            try:
                rows = [editing.find(connection, options["entity"])]
                if is_change:
                    _change(rows[0], options)
            except InvalidRequest as error:
                raise CommandError(str(error), returncode=2) from error
        self._print(rows, as_json=options["json"])

    def _print(self, rows: list[SyncedEntity], *, as_json: bool) -> None:
        found = {row.name: row.names or {} for row in rows}
        if as_json:
            self.stdout.write(orjson.dumps({"names": found}).decode())
            return
        lines = [
            f"{entity}: {here} → {there}"
            for entity, pairs in found.items()
            for here, there in sorted(pairs.items())
        ]
        self.stdout.write("\n".join(lines) or "All attributes have the same names on both sides.")


def _change(row: SyncedEntity, options: dict[str, Any]) -> None:
    """Raises InvalidRequest."""
    if options["reset"]:
        editing.reset(row)
    if not (options["set"] or options["remove"]):
        return
    names = dict(row.names or {})
    for name in options["remove"]:
        if name not in names:
            raise InvalidRequest(f"'{name}' of '{row.name}' has its own name already.", "remove")
        del names[name]
    for text in options["set"]:
        here, equals, there = text.partition("=")
        if not (here and equals and there):
            raise InvalidRequest(f"--set needs SERVER=CLIENT, not '{text}'.", "set")
        names[here] = there
    editing.save(row, names)
