"""`manage.py demo`: a twin that feeds a client, made, connected and carried over."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from connections.connect.errors import ConnectError
from connections.errors import ConnectorError
from organizations.errors import OrganizationError
from resco_sync import demo, web
from resco_sync.processes import Processes, stopped_at_end
from syncjobs.models import Verification


class Command(BaseCommand):
    """Make the demo, or what is missing of it, and prove that both sides are equal."""

    help = (
        f"Make a Dynamics twin '{demo.SERVER}', connect it to a client '{demo.CLIENT}', take over "
        "metadata and records, and compare both sides. What is there already is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments of design 6.2."""
        parser.add_argument(
            "--records",
            type=int,
            default=demo.RECORDS,
            metavar="N",
            help="records of a new twin (default %(default)s)",
        )
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it; the pages are started for as long as needed where they do not run."""
        processes = Processes(settings.VAR / "demo.json", web.environment())
        with stopped_at_end(processes):
            processes.end_left_over()
            if not web.answers():
                web.start(processes)
                web.wait(processes)
            try:
                demo.make(options["records"], self._say)
                found = demo.verify(self._say)
            except (demo.DemoError, ConnectError, ConnectorError, OrganizationError) as error:
                raise CommandError(str(error)) from error
        self._print(found, as_document=options["json"])
        different = [proof.entity.name for proof in found if proof.differences]
        if different:
            raise CommandError(f"The two sides differ in: {', '.join(different)}.")

    def _print(self, found: list[Verification], *, as_document: bool) -> None:
        if as_document:
            rows = [
                {
                    "name": proof.entity.name,
                    "server": proof.server,
                    "client": proof.client,
                    "equal": proof.equal,
                }
                for proof in found
            ]
            self.stdout.write(orjson.dumps({"entities": rows}).decode())
            return
        self.stdout.write(f"{'Entity':<22}{demo.SERVER:>10}{demo.CLIENT:>10}  equal")
        for proof in found:
            verdict = f"no: {proof.equal} of them" if proof.differences else "yes"
            numbers = f"{proof.server:>10,}{proof.client:>10,}"
            self.stdout.write(f"{proof.entity.name:<22}{numbers}  {verdict}")

    def _say(self, line: str) -> None:
        self.stderr.write(line, style_func=str)
