"""One filter, one set of records: in a full pull, an incremental one and a comparison of ids.

The judge is the matcher over all records of the twin, which shares no code with SQL and HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections import filters, registry
from connections.connectors.base import ReadRequest
from connections.connectors.hosted import HostedConnector
from connections.models import Connection
from organizations.models import Organization
from organizations.query.context import Context
from organizations.query.matcher import matches
from organizations.query.nodes import Query
from organizations.records import Value
from organizations.schema import Entity, columns
from organizations.store import Store
from syncjobs import dispatch, runner
from syncjobs.models import Run
from tests.syncjobs.test_main_job import MAIN, World, connect, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNT_CONDITIONS = (
    '<condition attribute="statecode" operator="eq" value="0"/>',
    '<condition attribute="statecode" operator="ne" value="0"/>',
    '<condition attribute="name" operator="like" value="%a%"/>',
    '<condition attribute="name" operator="not-begin-with" value="A"/>',
    '<condition attribute="revenue" operator="gt" value="500000"/>',
    '<condition attribute="address1_city" operator="not-null"/>',
    '<condition attribute="primarycontactid" operator="null"/>',
    '<condition attribute="telephone1" operator="not-null"/>',
)
CONTACT_CONDITIONS = (
    "",
    '<filter><condition attribute="statecode" operator="eq" value="0"/></filter>',
    '<filter><condition attribute="lastname" operator="like" value="%e%"/></filter>',
    '<filter type="or"><condition attribute="emailaddress1" operator="null"/>'
    '<condition attribute="firstname" operator="begins-with" value="M"/></filter>',
)
LINKS = (
    '<link-entity name="contact" from="parentcustomerid" to="accountid" link-type="inner">{}'
    "</link-entity>",
    '<link-entity name="contact" from="contactid" to="primarycontactid" link-type="inner">{}'
    "</link-entity>",
    '<link-entity name="account" from="accountid" to="parentaccountid" link-type="inner">'
    '<filter><condition attribute="name" operator="like" value="%o%"/></filter></link-entity>',
)
WITHOUT_CONTACT = (
    '<link-entity name="contact" from="parentcustomerid" to="accountid" link-type="outer" '
    'alias="none"/>',
    '<condition entityname="none" attribute="contactid" operator="null"/>',
)


@st.composite
def fetches(draw: st.DrawFn) -> str:
    """A sync filter of accounts: some conditions, perhaps of linked entities too."""
    conditions = draw(st.lists(st.sampled_from(ACCOUNT_CONDITIONS), max_size=2, unique=True))
    links = []
    if draw(st.booleans()):
        links.append(draw(st.sampled_from(LINKS)).format(draw(st.sampled_from(CONTACT_CONDITIONS))))
    elif draw(st.booleans()):
        links.append(WITHOUT_CONTACT[0])
        conditions.append(WITHOUT_CONTACT[1])
    logic = draw(st.sampled_from(("and", "or")))
    found = f'<filter type="{logic}">{"".join(conditions)}</filter>' if conditions else ""
    return f'<fetch><entity name="account">{found}{"".join(links)}</entity></fetch>'


EDITS: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("account", {"name": "Bank"}),
    ("account", {"revenue": "1000000"}),
    ("account", {"telephone1": None, "primarycontactid": None}),
    ("account", {"address1_city": None}),
    ("contact", {"lastname": "Meier"}),
    ("contact", {"emailaddress1": None}),
    ("contact", {"parentcustomerid": None}),
)
Edit = tuple[tuple[str, Mapping[str, object]], int]
edits = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 1000)), max_size=5)


class Records:
    """All records of an organization, as the matcher asks for them."""

    def __init__(self, organization: Organization) -> None:
        self._connector = HostedConnector(organization)

    def entity(self, name: str) -> Entity:
        return self._connector.store.catalog.entity(name)

    def records(self, entity: str) -> Iterable[Mapping[str, Value]]:
        definition = self.entity(entity)
        found = {column.attribute.name: column.attribute for column in columns(definition)}
        shown = tuple(found.values())
        for page in self._connector.read(ReadRequest(entity=definition, attributes=shown)):
            for row in page.rows:
                yield dict(zip(page.columns, row, strict=True))

    def inside(self, query: Query) -> set[str]:
        entity, context = self.entity(query.entity), Context(now=datetime.now(UTC))
        return {
            str(record[entity.primary_id])
            for record in self.records(query.entity)
            if matches(query, record, entity, context=context, linked=self)
        }


@pytest.fixture
def in_step(world: World, settings: Settings, live_server: LiveServer) -> Connection:
    """A client of the twin, in step; nothing waits for a person."""
    connect(world, f"<Entities>{';'.join(MAIN)}</Entities>")
    connection = Connection.objects.get(name="field")
    connection.entities.filter(enabled=True).update(sync_deletion=True)
    Connection.objects.update(delete_limit=10_000, delete_percent=100)
    return connection


def work(connection: Connection) -> None:
    run = dispatch.start_sync(connection, reason="test", entities=["account"], inline=True)
    runner.work(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED, run.message


def held_by(connection: Connection) -> set[str]:
    assert connection.client.organization is not None
    store = Store(connection.client.organization)
    return {item for ids in store.ids(Query(entity="account")) for item in ids}


def edit(
    organization: Organization, wanted: list[tuple[tuple[str, Mapping[str, object]], int]]
) -> None:
    store = Store(organization)
    for (entity, values), number in wanted:
        ids = sorted(item for page in store.ids(Query(entity=entity)) for item in page)
        store.update(entity, ids[number % len(ids)], values)  # type: ignore[arg-type]


def test_it_means_the_same_wherever_it_is_asked(world: World, in_step: Connection) -> None:
    twin, row = Records(world.organization), in_step.entities.get(name="account")

    @given(fetch=fetches(), changes=edits)
    @settings(
        max_examples=5,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    def check(fetch: str, changes: list[Edit]) -> None:
        row.filter_xml = fetch
        row.save()
        query = filters.read(fetch, "account", twin.entity)
        assert query is not None
        everything = sorted(twin.inside(Query(entity="account")))
        with registry.connector(in_step.server) as server:
            entity = next(iter(server.describe(["account"])))
            listed = {item for ids in server.ids(entity, query) for item in ids}
            assert (
                listed == twin.inside(query) == server.matching(entity, query, sorted(everything))
            )
        work(in_step)
        assert held_by(in_step) == twin.inside(query), "a full reading, then a comparison"
        edit(world.organization, changes)
        work(in_step)
        assert held_by(in_step) == twin.inside(query), "an incremental reading and a comparison"

    check()
