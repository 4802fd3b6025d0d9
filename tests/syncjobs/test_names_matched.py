"""Records that both sides have by themselves, where the client's are native."""

from __future__ import annotations

from typing import Any

import pytest

from connections.connect import service
from connections.models import Connection, Endpoint, SyncedEntity
from connections.naming.choosing import names_of
from organizations.catalog import create_organization, define, enable
from organizations.models import Organization
from organizations.records import Reference
from organizations.samples import contoso, sales
from organizations.schema import Entity
from organizations.store import Store
from syncjobs import dispatch, runner
from syncjobs.models import Run
from tests.syncjobs.making import client_store, server_store

pytestmark = pytest.mark.usefixtures("calls", "no_organizations_left")
CARRIED = ("businessunit", "systemuser", "transactioncurrency", "account")


def make_end(name: str, kind: str, entities: list[Entity]) -> Endpoint:
    organization = create_organization(name, kind)
    define(organization, [entity for entity in entities if entity.name in CARRIED])
    enable(organization, CARRIED)
    return Endpoint.objects.create(backend=Endpoint.Backend.HOSTED, organization=organization)


@pytest.fixture
def connection(transactional_db: None) -> Connection:
    kind = Organization.Kind
    made = Connection.objects.create(
        name="field",
        server=make_end("contoso", kind.DYNAMICS_TWIN, contoso.entities()),
        client=make_end("field", kind.CLIENT, sales.entities()),
    )
    for name in CARRIED:
        SyncedEntity.objects.create(connection=made, name=name, enabled=True)
    service.carry_out(made)
    return made


def sync(connection: Connection) -> None:
    run = dispatch.start(connection, Run.Kind.SYNC, reason="test")
    runner.work(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED, (run.message, list(run.errors.values()))


def make_people(store: Store, full_name: str, currency_name: str) -> tuple[str, str]:
    """A user and a currency, under the names that the organization has for their attributes."""
    user: dict[str, Any] = {
        full_name: "Ann",
        "internalemailaddress": "ann@example.com",
        "lastname": "A",
    }
    euro: dict[str, Any] = {"isocurrencycode": "EUR", currency_name: "Euro", "currencysymbol": "€"}
    return store.create("systemuser", user).id, store.create("transactioncurrency", euro).id


def test_lookups_lead_to_each_sides_own_records(connection: Connection) -> None:
    assert names_of(connection).of["transactioncurrency"] == {
        "transactioncurrencyid": "id",
        "currencyname": "name",
    }
    there, here = server_store(connection), client_store(connection)
    theirs, ours = make_people(there, "fullname", "currencyname"), make_people(here, "name", "name")
    kinds = ("systemuser", "transactioncurrency")
    owner, currency = (Reference(kind, id_) for kind, id_ in zip(kinds, theirs, strict=True))
    served: dict[str, Any] = {"name": "There", "ownerid": owner, "transactioncurrencyid": currency}
    first = there.create("account", served).id
    sync(connection)
    found = here.get("account", first).values
    assert found["ownerid"] == Reference("systemuser", ours[0])
    assert found["transactioncurrencyid"] == Reference("transactioncurrency", ours[1])
    made: dict[str, Any] = {"name": "Here", "ownerid": found["ownerid"]}
    second = here.create("account", made).id
    sync(connection)
    assert there.get("account", second).values["ownerid"] == owner
    assert [str(row[1]) for row in here.page("transactioncurrency", ["id", "name"])] == ["Euro"]
