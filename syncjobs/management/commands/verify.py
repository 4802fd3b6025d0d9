"""`manage.py verify CLIENT`: are both sides equal right now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from organizations.errors import InvalidRequest
from syncjobs import dispatch
from syncjobs.management.finding import find
from syncjobs.management.running import EXIT_CODES, carry_out
from syncjobs.models import Difference, Run, Verification

SHOWN = 20


class Command(BaseCommand):
    """Read both sides and compare every field; write no record."""

    help = (
        "Read both sides of CLIENT's connection in full, compare every field, and list what "
        "differs. Exit codes: 0 equal, 1 failed, 2 wrong arguments, 3 differences, 4 cancelled."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments of design 6.2."""
        parser.add_argument("client", help="name of the client organization")
        parser.add_argument(
            "--entity",
            action="append",
            default=[],
            metavar="E",
            help="verify only this entity (can be given again)",
        )
        parser.add_argument(
            "--quick",
            action="store_true",
            help="read only ids and versions of the server's records that nobody wrote since",
        )
        parser.add_argument(
            "--budget", type=int, metavar="N", help="stop after N requests to the server"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start a run, carry it out, print what it found."""
        connection = find(options["client"])
        names = options["entity"]
        try:
            run = dispatch.start_verify(
                connection,
                entities=names,
                quick=options["quick"],
                budget=_budget(options["budget"]),
                reason="command",
                inline=True,
            )
        except InvalidRequest as error:
            raise CommandError(str(error), returncode=2) from error
        carry_out(self, run)
        proofs = Verification.objects.filter(entity__connection=connection, entity__enabled=True)
        if names:
            proofs = proofs.filter(entity__name__in=names)
        found = list(proofs.select_related("entity").order_by("entity__name"))
        if options["json"]:
            self.stdout.write(orjson.dumps(_document(run, found)).decode())
        else:
            self._print(found)
        if code := EXIT_CODES.get(Run.State(run.state), 1):
            raise CommandError(f"{run}: {run.message}", returncode=code)

    def _print(self, found: list[Verification]) -> None:
        self.stdout.write(f"{'Entity':<28}{'server':>12}{'client':>12}{'equal':>12}{'differ':>12}")
        for proof in found:
            numbers = (proof.server, proof.client, proof.equal, proof.differences)
            row = "".join(f"{number:>12,}" for number in numbers)
            self.stdout.write(f"{proof.entity.name:<28}{row}")
        for proof in found:
            for difference in proof.listed.all()[:SHOWN]:
                self.stdout.write(_line(proof, difference))


def _budget(given: int | None) -> int | None:
    if given is not None and given < 1:
        raise InvalidRequest(f"--budget is {given}; it must be 1 or more.", element="budget")
    return given


def _line(proof: Verification, difference: Difference) -> str:
    fields = "; ".join(
        f"{field['name']}: {field['server']} → {field['client']}" for field in difference.fields
    )
    what = f"{proof.entity.name} {difference.client_id} {difference.get_kind_display()}"
    return " ".join(filter(None, (f"{what}. {difference.reason}", fields)))


def _document(run: Run, found: list[Verification]) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "status": run.state.capitalize(),
        "message": run.message,
        "entities": [
            {
                "name": proof.entity.name,
                "at": proof.at.isoformat(),
                "server": proof.server,
                "client": proof.client,
                "equal": proof.equal,
                "differences": proof.differences,
                "read": proof.read,
                "listed": [_difference(difference) for difference in proof.listed.all()],
            }
            for proof in found
        ],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "kind": difference.kind,
        "server_id": str(difference.server_id),
        "client_id": str(difference.client_id),
        "reason": difference.reason,
        "fields": difference.fields,
    }
