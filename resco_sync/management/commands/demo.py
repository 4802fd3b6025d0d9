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
from resco_sync.equality import Compared, compare
from resco_sync.processes import Processes, stopped_at_end


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
                run = demo.make(options["records"], self._say)
                self._say("Comparing every record on both sides, field by field …")
                found = list(compare(run))
            except (demo.DemoError, ConnectError, ConnectorError, OrganizationError) as error:
                raise CommandError(str(error)) from error
        self._print(found, as_document=options["json"])
        different = [one.entity for one in found if not one.is_equal]
        if different:
            raise CommandError(f"The two sides differ in: {', '.join(different)}.")

    def _print(self, found: list[Compared], *, as_document: bool) -> None:
        if as_document:
            rows = [
                {"name": one.entity, "server": one.server, "client": one.client, "equal": one.equal}
                for one in found
            ]
            self.stdout.write(orjson.dumps({"entities": rows}).decode())
            return
        self.stdout.write(f"{'Entity':<22}{demo.SERVER:>10}{demo.CLIENT:>10}  equal")
        for one in found:
            verdict = "yes" if one.is_equal else f"no: {one.equal} of them"
            self.stdout.write(f"{one.entity:<22}{one.server:>10,}{one.client:>10,}  {verdict}")

    def _say(self, line: str) -> None:
        self.stderr.write(line, style_func=str)
