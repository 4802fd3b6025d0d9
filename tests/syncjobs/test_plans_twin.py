"""Dry runs predict runs over real organizations too: two hosted ones, and a twin by HTTP (I8)."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections import secrets
from connections.connect import service
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import create_organization
from organizations.models import ChangeLog, Organization
from organizations.samples.twins import make_twin
from organizations.store import Store
from syncjobs import dispatch, runner
from syncjobs.models import Checkpoint, Link, OfflineTransaction, Run
from syncjobs.plan_document import document
from tests.syncjobs.making import PASSWORD, client_store, fill, make_pair, names, server_store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("calls")]

COUNTED = (
    *("read", "created", "updated", "deleted", "unchanged", "rejected"),
    *("conflicts", "kept", "left", "held", "pushed"),
)


def work(run: Run) -> Run:
    runner.work(run.pk)
    run.refresh_from_db()
    return run


def counts(run: Run) -> dict[str, list[int]]:
    return {row.name: [getattr(row, name) for name in COUNTED] for row in run.entities.all()}


def written() -> list[Any]:
    """All that a dry run must leave as it is."""
    return [
        list(Organization.objects.order_by("pk").values_list("pk", "row_version")),
        ChangeLog.objects.count(),
        sorted(Link.objects.values_list()),
        list(Checkpoint.objects.order_by("pk").values_list()),
        sorted(OfflineTransaction.objects.values_list("pk", "status", "attempts")),
    ]


def edit(random: Random, server: Store, client: Store, *, cascades: bool) -> None:
    """Do something to an account of either side.

    With `cascades` nothing is deleted on the client: what the server's own logic then does to
    other records, nobody can predict.
    """
    store = random.choice((server, client))
    there = sorted(names(store))
    match random.choice(("create", "update", "update", "delete")):
        case "create":
            store.create("account", {"name": f"New {random.random()}"})
        case "update" if there:
            store.update("account", random.choice(there), {"name": f"Changed {random.random()}"})
        case "delete" if there and not (cascades and store is client):
            store.delete("account", random.choice(there))
        case _:
            return


def check(
    connection: Connection, server: Store, client: Store, *, seed: int, cascades: bool = False
) -> None:
    """Edit, plan, and compare with the run, which carries out all there is, or only the plan."""
    random = Random(seed)
    for _ in range(random.randint(0, 8)):
        edit(random, server, client, cascades=cascades)
    before = written()
    made = work(dispatch.start_sync(connection, dry_run=True, reason="test"))
    assert written() == before
    if document(made)["can_be_applied"] and random.random() < 0.5:
        real = work(dispatch.start_apply(connection, made.pk, reason="test"))
    else:
        real = work(dispatch.start_sync(connection, reason="test"))
    assert counts(real) == counts(made), f"{seed} {made.message} {real.message}"
    assert real.state == made.state


def test_it_predicts_runs_between_hosted_organizations(no_organizations_left: None) -> None:
    connection = make_pair()
    connection.entities.update(sync_deletion=True)
    fill(connection, 12)
    for seed in range(8):
        check(connection, server_store(connection), client_store(connection), seed=seed)


def test_it_predicts_runs_against_a_twin(live_server: LiveServer, settings: Settings) -> None:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    twin = make_twin("contoso", records=10, seed=5, email="a@contoso.example", password=PASSWORD)
    server = Endpoint.objects.create(
        backend="dynamics",
        url=live_server.url.replace("localhost", "127.0.0.1") + twin.path,
        user_name=twin.client_id,
    )
    server.sealed_secret = secrets.seal(twin.secret, str(server.pk))
    server.save()
    field = create_organization("field", Organization.Kind.CLIENT)
    client = Endpoint.objects.create(backend=Endpoint.Backend.HOSTED, organization=field)
    connection = Connection.objects.create(name="field", server=server, client=client)
    SyncedEntity.objects.create(connection=connection, name="account", enabled=True)
    service.carry_out(connection)
    connection.refresh_from_db()
    connection.entities.filter(name="account").update(enabled=True, sync_deletion=True)
    for seed in range(2):
        check(connection, Store(twin.organization), Store(field), seed=seed, cascades=True)
    made = work(dispatch.start_sync(connection, dry_run=True, reason="test"))
    assert made.result["requests"]["reading"] > 0
