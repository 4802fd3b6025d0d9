"""The demo: a Dynamics twin `contoso` that feeds a hosted client organization `field`.

Everything goes the way it goes for a customer: over HTTP, through the connect service and runs.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from connections.connect import proof, service
from connections.connect.request import ConnectRequest, EntityChoice
from connections.connectors.dynamics import difficult
from connections.models import Connection, Endpoint
from organizations.catalog import Catalog
from organizations.models import Application, Organization
from organizations.samples.twins import make_twin
from resco_sync import web
from syncjobs import dispatch, follow
from syncjobs.models import Run, Verification

SERVER = "contoso"
CLIENT = "field"
EMAIL = "demo@field.example"
SEED = 2026
RECORDS = 2000

Say = Callable[[str], None]


class DemoError(Exception):
    """The demo cannot be made; the text says why."""


def is_there() -> bool:
    """Return whether the demo was made, and its first Sync All done."""
    done = (Run.State.SUCCEEDED, Run.State.PARTLY)
    return Run.objects.filter(connection__name=CLIENT, kind=Run.Kind.SYNC, state__in=done).exists()


def make(records: int, say: Say) -> Run:
    """Make what is missing of the demo and carry it over; return the run of Sync All.

    Raises DemoError when a run does not succeed.
    """
    twin = _twin(records, say)
    connection = Connection.objects.filter(name=CLIENT).first() or _connect(twin, say)
    if connection.state != Connection.State.READY:
        say(f"Update Server: taking over the metadata of {SERVER} …")
        update = dispatch.start(connection, Run.Kind.CONNECT, reason="demo", inline=True)
        _carry_out(update, say)
    say(f"Sync All: {SERVER} → {CLIENT} …")
    run = dispatch.start_sync(connection, reason="demo", inline=True)
    _carry_out(run, say)
    return run


def verify(say: Say) -> list[Verification]:
    """Compare every record on both sides, field by field; return the proofs by entity.

    Raises DemoError when it could not be carried out.
    """
    connection = Connection.objects.get(name=CLIENT)
    say("Verify: comparing every record on both sides, field by field …")
    run = dispatch.start_verify(connection, reason="demo", inline=True)
    follow.carry_out(run, lambda line: say(f"  {line}"))
    if run.state not in (Run.State.SUCCEEDED, Run.State.PARTLY):
        raise DemoError(f"{run} ended as '{run.state}': {run.message}")
    proofs = Verification.objects.filter(entity__connection=connection, entity__enabled=True)
    return list(proofs.select_related("entity").order_by("entity__name"))


def _twin(records: int, say: Say) -> Organization:
    found = Organization.objects.filter(name=SERVER).first()
    if found is None:
        say(f"Making the twin '{SERVER}' with {records:,} records …")
        password = secrets.token_urlsafe(12)
        return make_twin(
            SERVER, records=records, seed=SEED, email=EMAIL, password=password
        ).organization
    if found.kind != Organization.Kind.DYNAMICS_TWIN:
        raise DemoError(f"'{SERVER}' is an organization of yours; the demo needs that name.")
    return found


def _connect(twin: Organization, say: Say) -> Connection:
    """Connect as an administrator would: an application user there, a new client here."""
    url = f"{web.address()}/dynamics/{twin.name}"
    say(f"Connecting {url} with a new client organization '{CLIENT}' …")
    if Organization.objects.filter(name=CLIENT).exists():
        raise DemoError(f"'{CLIENT}' is an organization of yours; the demo needs that name.")
    user, secret = _application(twin)
    names = (name for name in Catalog(twin).names() if not difficult.problem(name))
    proven = proof.prove(
        ConnectRequest(
            backend=Endpoint.Backend.DYNAMICS,
            url=url,
            user_name=user,
            password=secret,
            entities=tuple(EntityChoice(name=name, sync_deletion=True) for name in names),
        )
    )
    password = secrets.token_urlsafe(12)
    person = {"first_name": "Demo", "last_name": "Administrator", "company": "Field Service"}
    client = service.NewClient(name=CLIENT, email=EMAIL, password=password, person=person)
    connection = service.connect(proven, client)
    say(f"Administrator of {CLIENT}: {EMAIL}   password: {password}   (shown only now)")
    return connection


def _application(twin: Organization) -> tuple[str, str]:
    secret = secrets.token_urlsafe(30)
    application = Application(organization=twin, name="Resco CRM Sync")
    application.set_secret(secret)
    application.save(force_insert=True)
    return str(application.pk), secret


def _carry_out(run: Run, say: Say) -> None:
    follow.carry_out(run, lambda line: say(f"  {line}"))
    if run.state != Run.State.SUCCEEDED:
        first = run.errors.first()
        detail = f" First: {first.entity} {first.record}: {first.message}" if first else ""
        raise DemoError(f"{run} ended as '{run.state}': {run.message}{detail}")
