"""`manage.py sync CLIENT`: Sync All in the foreground."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from organizations.errors import InvalidRequest
from syncjobs import dispatch
from syncjobs.management.finding import find
from syncjobs.management.running import finish


class Command(BaseCommand):
    """Carry the server's records to a client, in this process."""

    help = (
        "Carry the server's records to CLIENT in this process, with progress on standard error. "
        "Exit codes: 0 succeeded, 1 failed, 2 wrong arguments, 3 partly, 4 cancelled."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments of design 6.2."""
        parser.add_argument("client", help="name of the client organization")
        parser.add_argument(
            "--entity",
            action="append",
            default=[],
            metavar="E",
            help="carry only this entity (can be given again)",
        )
        parser.add_argument("--dry-run", action="store_true", help="count only, write no record")
        parser.add_argument("--full", action="store_true", help="read everything again")
        parser.add_argument("--json", action="store_true", help="print the job as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start a run, carry it out, print how it ended."""
        connection = find(options["client"])
        try:
            run = dispatch.start_sync(
                connection,
                entities=options["entity"],
                dry_run=options["dry_run"],
                full=options["full"],
                reason="command",
                inline=True,
            )
        except InvalidRequest as error:
            raise CommandError(str(error), returncode=2) from error
        finish(self, run, as_document=options["json"])
