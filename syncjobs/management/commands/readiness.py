"""`manage.py readiness CLIENT`: is the server of a connection ready to be synchronized with."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from connections.readiness import saving
from syncjobs import dispatch, follow
from syncjobs.management.finding import find
from syncjobs.management.running import EXIT_CODES
from syncjobs.models import Run

NOT_READY = 3


class Command(BaseCommand):
    """Check a server before the first run; write no record."""

    help = (
        "Check the server of CLIENT's connection: login, roles, schedule, and each enabled entity. "
        "Exit codes: 0 ready, 1 failed, 2 wrong arguments, 3 not ready (red), 4 cancelled."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("client", help="name of the client organization")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start a run, carry it out, print the report."""
        connection = find(options["client"])
        run = dispatch.start(connection, Run.Kind.READINESS, reason="command", inline=True)
        follow.carry_out(run, self._say)
        if code := EXIT_CODES.get(Run.State(run.state), 1):
            raise CommandError(f"{run}: {run.message}", returncode=code)
        saved = saving.latest(connection)
        assert saved is not None  # noqa: S101 - the run that succeeded has left it
        if options["json"]:
            self.stdout.write(orjson.dumps(saved.document).decode())
        else:
            self._print(saved.document)
        if saved.colour == saved.Colour.RED:
            raise CommandError(saved.document["summary"], returncode=NOT_READY)

    def _say(self, line: str) -> None:
        self.stderr.write(line, style_func=str)

    def _print(self, document: Mapping[str, Any]) -> None:
        for finding in document["server"]:
            self.stdout.write(_line("server", finding))
        for entity in document["entities"]:
            count = "" if entity["count"] is None else f"about {entity['count']:,} records"
            self.stdout.write(f"{entity['name']}: {entity['colour']} {count}".rstrip())
            for finding in entity["findings"]:
                self.stdout.write(_line(" ", finding))
        self.stdout.write(document["summary"])


def _line(prefix: str, finding: Mapping[str, str]) -> str:
    fix = f" → {finding['fix']}" if finding["fix"] else ""
    return f"{prefix} {finding['colour']:<6}{finding['about']}: {finding['text']}{fix}"
