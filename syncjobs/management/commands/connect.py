"""`manage.py connect FILE.xml CLIENT`: what ConnectAsync does, in the foreground.

With `ClientUrl` in the file, or `--client-url`, the client is an organization hosted elsewhere.
Whoever may run commands may connect every client; the registration policy of the doors does not
apply, and a client organization that exists is taken as it is.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from connections.connect import admission, clients, document, proof, service
from connections.connect.clients import Wished
from connections.connect.errors import ConnectError
from connections.connect.request import ConnectRequest, from_document, server_url
from organizations.errors import OrganizationError
from organizations.management.logins import read_password
from syncjobs import dispatch
from syncjobs.doors import body
from syncjobs.doors.fault import Fault
from syncjobs.management.running import finish
from syncjobs.models import Run


class Command(BaseCommand):
    """Connect a client, or take over its server's metadata again, in this process."""

    help = (
        "Connect CLIENT as the ConnectRequest in FILE says, or update its metadata, with progress "
        "on standard error. Exit codes: 0 succeeded, 1 failed, 2 wrong arguments or request."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments of design 6.2."""
        parser.add_argument("file", type=Path, metavar="FILE.xml", help="a ConnectRequest")
        parser.add_argument("client", help="name of the client organization")
        parser.add_argument(
            "--client-url", metavar="URL", default="", help="address of a client hosted elsewhere"
        )
        parser.add_argument(
            "--user",
            metavar="EMAIL",
            help="administrator of a new client (else RegistrationInfo), or user of one elsewhere",
        )
        parser.add_argument(
            "--password-file", metavar="F", help="file with the password of that user"
        )
        parser.add_argument("--json", action="store_true", help="print the job as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prove the request, save the connection, carry the job out, print how it ended."""
        try:
            wanted = read(options["file"])
            wished = _client(wanted, options)
            service.check_free(options["client"], wanted.backend, wanted.url)
            client = clients.prove(wished)
            proven = proof.prove(wanted)
            with transaction.atomic():
                run = dispatch.start(
                    service.connect(proven, client),
                    Run.Kind.CONNECT,
                    reason="command",
                    inline=True,
                )
        except (Fault, OrganizationError, ConnectError) as error:
            raise CommandError(str(error), returncode=2) from error
        finish(self, run, as_document=options["json"])


def read(file: Path) -> ConnectRequest:
    """Return the request of the file. Raises Fault, InvalidRequest, CommandError."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=2) from error
    return from_document(document.document(body.parse_xml(raw)))


def _client(wanted: ConnectRequest, options: dict[str, Any]) -> Wished:
    name, file = options["client"], options["password_file"]
    password = read_password(file) if file else ""
    url = server_url(options["client_url"], "--client-url") if options["client_url"] else ""
    found = clients.named(
        name,
        url=url or wanted.client_url,
        user_name=options["user"] or "",
        password=password,
    )
    if isinstance(found, clients.RemoteLogin):
        admission.check_name(name)
        if not found.user_name or not found.password:
            raise CommandError(
                f"To connect '{name}' at {found.url}, give --user and --password-file.",
                returncode=2,
            )
    if found is not None:
        return found
    person = wanted.registration
    if person is None or not password:
        raise CommandError(
            f"There is no organization '{name}'. To make it, the request needs RegistrationInfo "
            "and the command --password-file with its administrator's password.",
            returncode=2,
        )
    return admission.new_client(name, options["user"] or person.email, password, person)
