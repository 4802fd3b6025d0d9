"""`manage.py rotate_secrets`: seal every stored secret with the first key (decision 11)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from connections import secrets
from connections.errors import Refused


class Command(BaseCommand):
    """Run it after putting a new key first in RESCO_SYNC_SECRET_KEYS; then remove the old key."""

    help = "Seals every stored secret with the first key of RESCO_SYNC_SECRET_KEYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer --json."""
        parser.add_argument("--json", action="store_true", help="print counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate and print the counts."""
        try:
            counts = secrets.rotate()
        except (Refused, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(dict(counts)))
            return
        self.stdout.write(
            f"{counts['sealed']} secrets sealed anew, {counts['current']} had the first key."
        )
