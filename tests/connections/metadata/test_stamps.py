"""What is read again: what changed, what is gone, what was held up; and when a stamp is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connections.connectors.facts import DefinitionChanges
from connections.connectors.memory.connector import MemoryConnector
from connections.connectors.memory.organization import MemoryOrganization
from connections.metadata import stamps
from connections.metadata.impact import StoreImpact
from connections.metadata.stamps import FORMAT, NEVER, Stamp
from connections.metadata.update import MetadataUpdate
from organizations.catalog import Catalog, create_organization, define
from organizations.models import Organization
from organizations.schema import Entity, Label, Origin
from tests.connections.metadata.generated import make_named
from tests.connections.metadata.making import make_attribute

pytestmark = pytest.mark.django_db
ID = "0a0b0c0d-0000-0000-0000-00000000000{}"
SINCE = Stamp(text=f"{FORMAT}1")


class Stamped(MemoryConnector):
    """Tells what a test says that changed, and remembers what it was asked."""

    def __init__(self, *entities: Entity, **changes: object) -> None:
        super().__init__(MemoryOrganization.of("server", entities))
        self.told = DefinitionChanges(stamp="2", **changes)  # type: ignore[arg-type]
        self.asked: list[str] = []
        self.described: list[str] = []

    def definition_changes(self, since: str) -> DefinitionChanges:
        self.asked.append(since)
        return self.told if since else DefinitionChanges(stamp="2", is_everything=True)

    def describe(self, names):  # type: ignore[no-untyped-def]
        listed = list(names)
        self.described += listed
        return super().describe(listed)


@pytest.fixture
def client() -> Organization:
    organization = create_organization("field")
    define(organization, make_entities())
    return organization


def make_entities() -> list[Entity]:
    """Three, the first two of which hold an element with a known id."""
    first, second, third = (make_named(name) for name in ("a", "b", "c"))
    with_id = replace(make_attribute("old"), extras={"MetadataId": ID.format(1)})
    return [
        replace(first, attributes=(*first.attributes, with_id)),
        replace(second, extras={"MetadataId": ID.format(2)}),
        third,
    ]


def make_update(client: Organization, server: Stamped, before: Stamp = SINCE) -> MetadataUpdate:
    return MetadataUpdate(server, client, StoreImpact(client), before=before)


def test_nothing_changed_asks_for_nothing_more(client: Organization) -> None:
    server = Stamped(*make_entities())
    update = make_update(client, server)
    plan = update.apply()
    assert (server.asked, server.described) == (["1"], [])
    assert (plan.is_empty, plan.unchanged) == (True, 3)
    assert "listed" not in vars(update)


def test_without_a_stamp_everything_is_read(client: Organization) -> None:
    server = Stamped(*make_entities())
    update = make_update(client, server, NEVER)
    plan = update.apply()
    assert (server.asked, server.described) == ([""], ["a", "b", "c"])
    assert (plan.unchanged, update.stamp(plan).text) == (3, f"{FORMAT}2")


def test_a_stamp_of_an_older_reader_is_not_used(client: Organization) -> None:
    server = Stamped(*make_entities())
    make_update(client, server, Stamp(text="0:1")).preview()
    assert server.asked == [""]


def test_only_what_changed_is_read(client: Organization) -> None:
    first, second, third = make_entities()
    changed = replace(second, label=Label.of({1033: "Changed"}))
    new = make_named("d")
    server = Stamped(first, changed, third, new, entities=frozenset({"b", "d", "unlisted"}))
    plan = make_update(client, server).apply()
    assert server.described == ["b", "d"]
    assert [item.entity for item in plan.entities] == ["b", "d"]
    assert plan.unchanged == 2
    assert Catalog(client).entity("b").label.text() == "Changed"


def test_the_owner_of_a_deleted_element_is_read(client: Organization) -> None:
    first, second, third = make_entities()
    left = replace(first, attributes=first.attributes[:-1])
    server = Stamped(left, second, third, deleted=frozenset({ID.format(1)}))
    plan = make_update(client, server).apply()
    assert server.described == ["a"]
    assert plan.counts() == {"attribute removed": 1}


def test_a_deleted_entity_is_hidden(client: Organization) -> None:
    first, _, third = make_entities()
    server = Stamped(first, third, deleted=frozenset({ID.format(2)}))
    plan = make_update(client, server).apply()
    assert (server.described, plan.unchanged) == ([], 2)
    assert Catalog(client).entity("b").is_hidden


@pytest.mark.parametrize("count", [1, stamps.MOST_DELETED + 1])
def test_deletions_whose_owner_is_not_known_mean_everything(
    client: Organization, count: int
) -> None:
    server = Stamped(*make_entities(), deleted=frozenset(f"gone-{n}" for n in range(count)))
    assert make_update(client, server).apply().unchanged == 3
    assert server.described == ["a", "b", "c"]


def test_what_is_blocked_is_read_every_time(client: Organization) -> None:
    first, second, third = make_entities()
    local = make_attribute("mine", origin=Origin.LOCAL)
    define(client, [replace(first, attributes=(*first.attributes, local))])
    theirs = replace(first, attributes=(*first.attributes, make_attribute("mine")))
    server = Stamped(theirs, second, third, entities=frozenset({"a"}))
    update = make_update(client, server)
    kept = update.stamp(update.apply())
    assert kept.behind == ("a",)
    again = Stamped(theirs, second, third)
    plan = make_update(client, again, kept).apply()
    assert again.described == ["a"]
    assert plan.counts() == {"attribute blocked": 1}


def test_an_old_stamp_is_renewed() -> None:
    now = datetime(2026, 1, 10, tzinfo=UTC)
    young, old = (Stamp(text="1:1", at=now - timedelta(days=days)) for days in (6, 8))
    assert stamps.is_due(old, now)
    assert stamps.is_due(NEVER, now)
    assert not stamps.is_due(young, now)
