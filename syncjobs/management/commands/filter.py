"""`manage.py filter CLIENT ENTITY FILE`: what a sync filter would change, and saving it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from organizations.errors import InvalidRequest
from syncjobs import filter_changes
from syncjobs.management.finding import find
from syncjobs.management.running import EXIT_CODES, carry_out
from syncjobs.models import Run


class Command(BaseCommand):
    """Show which records enter and leave with another filter, and save it if wanted."""

    help = (
        "Show which records would enter and leave the client with the FetchXML in FILE as the "
        "sync filter of ENTITY ('-': all records, no filter). With --save the filter is saved. "
        "Exit codes: 0 done, 1 failed, 2 wrong arguments, 4 cancelled."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("client", help="name of the client organization")
        parser.add_argument("entity", help="logical name")
        parser.add_argument("file", help="file with FetchXML, or - for all records")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--preview", action="store_true", help="show what would change")
        what.add_argument("--save", action="store_true", help="show what changes, and save it")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the preview, print it, save."""
        connection, text = find(options["client"]), _text(options["file"])
        try:
            row = filter_changes.find(connection, options["entity"])
            run = filter_changes.start(row, text, reason="command", inline=True)
        except InvalidRequest as error:
            raise CommandError(str(error), returncode=2) from error
        carry_out(self, run)
        if code := EXIT_CODES.get(Run.State(run.state), 1):
            raise CommandError(run.message, returncode=code)
        if options["save"]:
            self._save(run)
        document = {**run.result["filter"], "saved": options["save"]}
        if options["json"]:
            self.stdout.write(orjson.dumps(document).decode())
        else:
            self.stdout.write("\n".join((run.message, *_lines(document))))

    def _save(self, run: Run) -> None:
        try:
            filter_changes.save(run)
        except InvalidRequest as error:
            raise CommandError(str(error)) from error


def _text(file: str) -> str:
    if file == "-":
        return ""
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The file {file} cannot be read: {error}", returncode=2) from error


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for what, words in (("entering", "enters"), ("leaving", f"leaves, {found['leaving_is']}")):
        for record in found[what]:
            yield f"{words}: {record['id']} {record['name']}".rstrip()
    for child in found["children"]:
        yield f"{child['count']:,} × {child['entity']} lose the parent of {child['attribute']}"
        for record in child["samples"]:
            yield f"  {record['id']} {record['name']}".rstrip()
    yield "The filter is saved." if found["saved"] else "Nothing is saved."
