"""`manage.py sql_user ORGANIZATION`: a read-only database role for one organization."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from organizations.catalog import sql_users
from organizations.errors import OrganizationError
from organizations.models import Organization


class Command(BaseCommand):
    """Make or remove the SQL user of an organization."""

    help = (
        "Make the read-only SQL user of an organization and print its password, this once; with "
        "--remove, remove it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("organization", help="its name")
        parser.add_argument("--remove", action="store_true", help="remove the SQL user")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one or the other."""
        organization = Organization.objects.filter(name=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization '{options['organization']}'.")
        shown = {"user": sql_users.role_name(organization)}
        try:
            if options["remove"]:
                sql_users.remove(organization)
            else:
                shown["password"] = sql_users.make(organization)
                shown["line"] = shlex.join(sql_users.psql(organization))
        except OrganizationError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(orjson.dumps(shown).decode() if options["json"] else _told(shown))


def _told(shown: dict[str, str]) -> str:
    if "password" not in shown:
        return f"The SQL user '{shown['user']}' was removed."
    return (
        f"The SQL user '{shown['user']}' reads this organization and nothing else. Its password, "
        f"shown this once: {shown['password']}\n{shown['line']}"
    )
