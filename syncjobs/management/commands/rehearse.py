"""`manage.py rehearse CLIENT`: make a rehearsal of a connection, of any size."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from connections import rehearsal
from connections.errors import ConnectorError
from connections.models import Connection
from connections.rehearsal import Rehearsal, Wanted
from organizations.errors import OrganizationError
from organizations.management.logins import add_login, read_password
from syncjobs import dispatch
from syncjobs.models import Run


class Command(BaseCommand):
    """Copy a connection onto a twin of its server's metadata."""

    help = (
        "Make a Dynamics twin of the metadata of CLIENT's server, with generated records, a new "
        "client organization, and a copy of the connection between the two. No record of the "
        "server is read. The metadata are taken over by a job."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("client", help="name of the connection's client organization")
        parser.add_argument("--name", help="name of the twin (default CLIENT-rehearsal)")
        parser.add_argument(
            "--records", type=int, default=50, metavar="N", help="of each entity, at most (50)"
        )
        parser.add_argument(
            "--seed", type=int, default=1, help="the same seed makes the same records"
        )
        parser.add_argument("--all", action="store_true", help="all entities, not only the enabled")
        parser.add_argument(
            "--base-url",
            default=f"http://127.0.0.1:{settings.PORT}",
            help="where this installation answers (default %(default)s)",
        )
        add_login(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it all, or nothing."""
        connection = Connection.objects.filter(name=options["client"]).first()
        if connection is None:
            raise CommandError(f"There is no connection '{options['client']}'.")
        wanted = Wanted(
            name=options["name"] or f"{connection.name}-rehearsal",
            email=options["user"],
            password=read_password(options["password_file"]),
            records=options["records"],
            seed=options["seed"],
            base_url=options["base_url"],
            is_whole=options["all"],
        )
        progress = None if options["json"] else self._tell
        try:
            made = rehearsal.rehearse(connection, wanted, progress=progress)
        except (OrganizationError, ConnectorError) as error:
            raise CommandError(str(error)) from error
        run = dispatch.start(made.connection, Run.Kind.CONNECT, reason="command")
        self.stdout.write(_document(made, run) if options["json"] else _text(made, wanted))

    def _tell(self, entity: str, done: int, total: int) -> None:
        if done == total:
            self.stderr.write(f"{entity}: {total}", style_func=str)


def _document(made: Rehearsal, run: Run) -> str:
    return orjson.dumps(
        {
            "twin": made.twin.organization.name,
            "connection": made.connection.name,
            "url": made.connection.server.url,
            "job": str(run.pk),
            "records": made.twin.counts,
        }
    ).decode()


def _text(made: Rehearsal, wanted: Wanted) -> str:
    lines = (
        f"Twin '{wanted.name}' has {sum(made.twin.counts.values())} records.",
        f"URL: {made.connection.server.url}",
        f"Connection: {made.connection.name}; a job is setting it up.",
        f"Faults: manage.py twin_faults {wanted.name} --set …",
    )
    return "\n".join(lines)
