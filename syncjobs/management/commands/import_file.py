"""`manage.py import_file CLIENT`: what a client elsewhere lacks, as a file to import there."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from connections.metadata import import_file
from connections.metadata.plan import plan_to_json
from organizations.errors import NotFound
from syncjobs import import_files
from syncjobs.management.finding import find

NOTHING = 3


class Command(BaseCommand):
    """Write the import file of the last Update Server."""

    help = (
        "Write the metadata that CLIENT lacked at the last Update Server, as a file to import "
        "there. Exit codes: 0 written, 2 wrong arguments, 3 there is nothing to import."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("client", help="name of the client organization")
        parser.add_argument("--to", type=Path, metavar="FILE", help="where (else: output)")
        parser.add_argument("--json", action="store_true", help="print the plan as JSON instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find the plan, print it or write the file, say where to apply it."""
        try:
            made = import_files.latest(find(options["client"]))
        except NotFound as error:
            raise CommandError(
                f"'{options['client']}' has nothing to import by hand.", returncode=NOTHING
            ) from error
        if options["json"]:
            self.stdout.write(orjson.dumps(plan_to_json(made.plan)).decode())
        elif options["to"]:
            options["to"].write_bytes(made.content)
        else:
            self.stdout.write(made.content.decode())
        self.stderr.write(import_file.WHERE, style_func=str)
