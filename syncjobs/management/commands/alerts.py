"""`manage.py alerts`: what is silent and should not be."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from syncjobs import alerts
from syncjobs.models import Alert
from syncjobs.telling import document


class Command(BaseCommand):
    """Look now, and list the open alerts; exit code 1 while there is one."""

    help = "Look for what is silent, and list the open alerts. Exit code 1 while there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the choice and the form."""
        parser.add_argument("--all", action="store_true", help="list those that are over too")
        parser.add_argument("--json", action="store_true", help="write JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, write, and fail while an alert is open."""
        alerts.look()
        found = list(Alert.objects.select_related("connection"))
        still = [alert for alert in found if alert.closed is None]
        shown = found if options["all"] else still
        if options["json"]:
            self.stdout.write(orjson.dumps([document(alert) for alert in shown]).decode())
        else:
            for alert in shown:
                self.stdout.write(_line(alert))
        if still:
            raise CommandError(f"{len(still)} alert{'s' * (len(still) != 1)} open.", returncode=1)


def _line(alert: Alert) -> str:
    over = f", over {alert.closed:%Y-%m-%d %H:%M}" if alert.closed else ""
    return f"{alert}, since {alert.opened:%Y-%m-%d %H:%M}{over} UTC: {alert.message}"
