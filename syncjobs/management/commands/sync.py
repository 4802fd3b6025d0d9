"""`manage.py sync CLIENT`: Sync All in the foreground."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from connections.models import Connection
from organizations.errors import InvalidRequest
from syncjobs import dispatch
from syncjobs.doors.jobs import as_json
from syncjobs.management.finding import find
from syncjobs.management.running import carry_out, conclude, finish
from syncjobs.models import Run
from syncjobs.plan_document import document, lines


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
        parser.add_argument(
            "--dry-run", action="store_true", help="print the plan, write no record"
        )
        parser.add_argument(
            "--apply",
            default="",
            metavar="RUN",
            help="carry out the plan of that dry run, and nothing else",
        )
        parser.add_argument("--full", action="store_true", help="read everything again")
        parser.add_argument("--json", action="store_true", help="print the job as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start a run, carry it out, print how it ended."""
        connection = find(options["client"])
        try:
            run = _start(connection, options)
        except InvalidRequest as error:
            raise CommandError(str(error), returncode=2) from error
        if options["dry_run"]:
            carry_out(self, run)
            self._print(run, as_document=options["json"])
            conclude(run)
        else:
            finish(self, run, as_document=options["json"])

    def _print(self, run: Run, *, as_document: bool) -> None:
        plan = document(run)
        if as_document:
            self.stdout.write(orjson.dumps({**as_json(run), "plan": plan}).decode())
        else:
            self.stdout.write("\n".join(lines(plan)))


def _start(connection: Connection, options: dict[str, Any]) -> Run:
    """Return the run that was asked for. Raises InvalidRequest, CommandError."""
    if not options["apply"]:
        return dispatch.start_sync(
            connection,
            entities=options["entity"],
            dry_run=options["dry_run"],
            full=options["full"],
            reason="command",
            inline=True,
        )
    given = [f"--{name}" for name in ("entity", "dry-run", "full") if options[_key(name)]]
    if given:
        raise CommandError(
            f"--apply carries out a plan as it was made; leave out {', '.join(given)}.",
            returncode=2,
        )
    return dispatch.start_apply(connection, options["apply"], reason="command", inline=True)


def _key(name: str) -> str:
    return name.replace("-", "_")
