"""`manage.py organization NAME`: make a hosted organization and its administrator.

With `--template` it begins with the entities of a template instead of none.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from organizations import deletions
from organizations.catalog import create_organization
from organizations.errors import OrganizationError
from organizations.management.logins import add_login, read_password
from organizations.members import add_member
from organizations.models import Member
from organizations.samples import templates
from organizations.schema import ENGLISH


class Command(BaseCommand):
    """Make an organization: without entities, for a connection to fill, or from a template."""

    help = "Make a hosted organization and the administrator who may sign in to it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments of design 6.2."""
        parser.add_argument("name", help="2 to 40 lower-case letters, digits and hyphens")
        parser.add_argument("--display-name", default="", help="the name people see")
        parser.add_argument(
            "--language",
            type=int,
            action="append",
            metavar="LCID",
            help="1033 is English, 1031 German; can be given again, the first is the base",
        )
        parser.add_argument(
            "--template",
            choices=sorted(templates.TEMPLATES),
            help="begin with its entities; sales: accounts, contacts, leads, opportunities, "
            "activities and more as Resco Cloud has them, with the key id",
        )
        add_login(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make both or neither."""
        password = read_password(options["password_file"])
        try:
            member = self._make(options, password)
        except OrganizationError as error:
            raise CommandError(str(error)) from error
        name = member.organization.name
        if options["json"]:
            document = {
                "id": str(member.organization.pk),
                "name": name,
                "user": member.email,
                "template": options["template"] or "",
            }
            self.stdout.write(orjson.dumps(document).decode())
        else:
            self.stdout.write(f"Organization '{name}' is there; {member.email} administers it.")

    def _make(self, options: dict[str, Any], password: str) -> Member:
        with transaction.atomic():
            organization = create_organization(
                options["name"],
                display_name=options["display_name"],
                languages=options["language"] or (ENGLISH,),
            )
            deletions.define(organization)
            if options["template"]:
                templates.fill(organization, options["template"])
            return add_member(organization, options["user"], password, is_administrator=True)
