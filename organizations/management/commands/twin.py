"""`manage.py twin NAME`: make a Dynamics twin of a sample organization."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from organizations.errors import OrganizationError
from organizations.management.logins import add_login, read_password
from organizations.samples.twins import SAMPLES, Twin, make_twin

RECORDS = 1000
SEED = 1


class Command(BaseCommand):
    """Make an organization that speaks the Dataverse Web API, with records to rehearse on."""

    help = (
        "Make a Dynamics twin: the metadata of a sample organization and generated records. "
        "Prints its URL and the id and secret of an application user; the secret is shown once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments of design 6.2."""
        parser.add_argument("name", help="2 to 40 lower-case letters, digits and hyphens")
        parser.add_argument("--sample", default="contoso", choices=sorted(SAMPLES))
        parser.add_argument(
            "--records",
            type=int,
            default=RECORDS,
            metavar="N",
            help=f"accounts, contacts, leads, competitors, appointments and equipment together; "
            f"users, roles, pairs and parties come on top (default {RECORDS})",
        )
        parser.add_argument(
            "--seed", type=int, default=SEED, help="the same seed makes the same records"
        )
        parser.add_argument(
            "--base-url",
            default=f"http://127.0.0.1:{settings.PORT}",
            help="address of this installation, for the URL that is printed (default %(default)s)",
        )
        add_login(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the whole twin or nothing."""
        password = read_password(options["password_file"])
        try:
            twin = make_twin(
                options["name"],
                sample=options["sample"],
                records=options["records"],
                seed=options["seed"],
                email=options["user"],
                password=password,
                progress=None if options["json"] else self._tell,
            )
        except OrganizationError as error:
            raise CommandError(str(error)) from error
        url = f"{options['base_url'].rstrip('/')}{twin.path}"
        self.stdout.write(_document(twin, url, options) if options["json"] else _text(twin, url))

    def _tell(self, entity: str, done: int, total: int) -> None:
        if done == total:
            self.stderr.write(f"{entity}: {total}", style_func=str)


def _document(twin: Twin, url: str, options: dict[str, Any]) -> str:
    document = {
        "name": twin.organization.name,
        "url": url,
        "user": options["user"],
        "client_id": twin.client_id,
        "secret": twin.secret,
        "records": twin.counts,
    }
    return orjson.dumps(document).decode()


def _text(twin: Twin, url: str) -> str:
    lines = (
        f"Twin '{twin.organization.name}' has {sum(twin.counts.values())} records.",
        f"URL: {url}",
        f"Application user (client id): {twin.client_id}",
        f"Secret, shown this once: {twin.secret}",
    )
    return "\n".join(lines)
