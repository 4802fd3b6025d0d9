"""`manage.py undo RUN`: show what taking a run back would do, or take it back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

import orjson
from django.core.management.base import BaseCommand, CommandError

from organizations.errors import InvalidRequest
from syncjobs import undo
from syncjobs.management.running import EXIT_CODES, carry_out, finish
from syncjobs.models import Run


class Command(BaseCommand):
    """Preview first; --apply takes the digest that the preview printed."""

    help = (
        "Work out what taking RUN back would do, and print it; nothing is written. With --apply "
        "and the digest of that preview, take it back, unless something has changed since. "
        "Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 some records were skipped, 4 cancelled."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("run", type=UUID, help="id of the run to take back")
        parser.add_argument("--apply", metavar="DIGEST", help="of the plan to carry out")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start a run, carry it out, print it."""
        undone = Run.objects.filter(pk=options["run"]).first()
        if undone is None:
            raise CommandError(f"There is no run {options['run']}.", returncode=2)
        try:
            if digest := options["apply"]:
                run = undo.start(undone, digest, reason="command", inline=True)
            else:
                run = undo.start_preview(undone, reason="command", inline=True)
        except InvalidRequest as error:
            raise CommandError(str(error), returncode=2) from error
        if options["apply"]:
            finish(self, run, as_document=options["json"])
            return
        carry_out(self, run)
        if code := EXIT_CODES.get(Run.State(run.state), 1):
            raise CommandError(f"{run}: {run.message}", returncode=code)
        plan = run.result["undo"]
        if options["json"]:
            self.stdout.write(orjson.dumps(plan).decode())
        else:
            self._print(run.message, plan)

    def _print(self, message: str, plan: dict[str, Any]) -> None:
        self.stdout.write(message)
        for item in plan["skipped"]:
            where = f"{item['entity']} {item['record']} on the {item['side']}"
            self.stdout.write(f"skipped: {where}: {item['reason']}")
        for sentence in plan["breaks"]:
            self.stdout.write(f"breaks: {sentence}")
        self.stdout.write(f"digest: {plan['digest']}")
