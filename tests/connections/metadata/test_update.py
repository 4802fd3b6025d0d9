"""Update Server between a server in memory and a hosted client: portions, approval, memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from connections.errors import PlanChanged
from connections.metadata import update as updating
from connections.metadata.impact import StoreImpact
from connections.metadata.plan import Element, MetadataPlan, Verb
from connections.metadata.update import EmptyMetadata, MetadataUpdate
from organizations.catalog import Catalog, create_organization, define, enable
from organizations.dynamics.codec import entity_from_json
from organizations.models import EntityDefinition, Organization
from organizations.schema import AttributeType, Entity, Label, Origin
from organizations.store import Store
from tests.connections.metadata.generated import ManyEntities, make_named, make_server, make_update
from tests.connections.metadata.making import make_attribute
from tests.organizations.dynamics.shared_data import definition

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Organization:
    return create_organization("field")


def make_entities(count: int) -> list[Entity]:
    return [make_named(f"new_{number:03}") for number in range(count)]


def names(client: Organization) -> list[str]:
    return Catalog(client).names()


def version(client: Organization) -> int:
    return Organization.objects.get(pk=client.pk).schema_version


def test_a_preview_writes_nothing(client: Organization) -> None:
    before = version(client)
    plan = make_update(client, *make_entities(3)).preview()
    assert plan.counts() == {"entity added": 3}
    assert (names(client), version(client)) == ([], before)


def test_it_takes_over_what_the_preview_said_and_then_nothing(client: Organization) -> None:
    update = make_update(client, *make_entities(45))
    approved = update.preview()
    assert update.apply(approved) == approved
    assert names(client) == [entity.name for entity in make_entities(45)]
    before = version(client)
    again = update.apply()
    assert (again.is_empty, again.unchanged) == (True, 45)
    assert version(client) == before


def test_it_stops_before_the_portion_that_is_not_the_approved_one(
    client: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "TAKEN_AT_ONCE", 2)
    entities = make_entities(6)
    approved = make_update(client, *entities).preview()
    entities[3] = make_named("new_003", make_attribute("surprise"))
    with pytest.raises(PlanChanged, match="entity 'new_003' have changed since the plan") as raised:
        make_update(client, *entities).apply(approved)
    assert "Make a new plan" in str(raised.value)
    assert names(client) == ["new_000", "new_001"]


def test_it_refuses_an_entity_that_nobody_approved(client: Organization) -> None:
    approved = make_update(client, *make_entities(1)).preview()
    with pytest.raises(PlanChanged, match="new_001"):
        make_update(client, *make_entities(2)).apply(approved)
    assert names(client) == []


def test_an_approved_plan_goes_on_where_a_worker_died(
    client: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "TAKEN_AT_ONCE", 2)
    approved = make_update(client, *make_entities(6)).preview()

    def die(entity: str, done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    server = make_server(*make_entities(6))
    with pytest.raises(KeyboardInterrupt):
        MetadataUpdate(server, client, StoreImpact(client), die).apply(approved)
    assert len(names(client)) == 4
    plan = make_update(client, *make_entities(6)).apply(approved)
    assert [item.entity for item in plan.entities] == ["new_004", "new_005"]
    assert len(names(client)) == 6


def test_a_server_that_lists_nothing_is_not_believed(client: Organization) -> None:
    make_update(client, *make_entities(2)).apply()
    with pytest.raises(EmptyMetadata, match="The server listed no entity. Nothing was changed"):
        make_update(client).apply()
    assert not any(entity.is_hidden for entity in Catalog(client).entities())


def test_it_tells_how_far_it_is(client: Organization) -> None:
    told: list[tuple[str, int, int]] = []
    server = make_server(*make_entities(2))
    report = lambda *progress: told.append(progress)  # noqa: E731 - a list that listens
    MetadataUpdate(server, client, StoreImpact(client), report).apply()
    assert told == [("new_000", 0, 2), ("new_001", 1, 2)]


def test_an_entity_of_the_client_blocks_only_itself(client: Organization) -> None:
    own = make_named("new_000", make_attribute("mine"), origin=Origin.LOCAL)
    define(client, [own])
    plan = make_update(client, *make_entities(2)).apply()
    blocked, added = (item.items[0] for item in plan.entities)
    assert (blocked.verb, blocked.element, blocked.name) == (Verb.BLOCK, Element.ENTITY, "new_000")
    assert "an entity of its own with this name. Rename it there first" in blocked.note
    assert (added.verb, added.name) == (Verb.ADD, "new_001")
    assert Catalog(client).entity("new_000") == own


def test_entities_of_the_client_are_not_removed(client: Organization) -> None:
    define(client, [make_named("mine", origin=Origin.LOCAL)])
    assert make_update(client, *make_entities(1)).preview().counts() == {"entity added": 1}


def test_what_is_added_is_part_of_the_plan_not_only_its_name(client: Organization) -> None:
    plan = make_update(client, make_named("new_000")).preview()
    longer = make_named("new_000", make_attribute("surprise"))
    assert make_update(client, longer).preview().digest != plan.digest
    define(client, [make_named("new_000")])
    one = make_update(client, make_named("new_000", make_attribute("a", max_length=5))).preview()
    label = Label.of({1031: "Anders"})
    relabelled = replace(make_attribute("a", max_length=5), label=label)
    other = make_update(client, make_named("new_000", relabelled)).preview()
    assert one.counts() == other.counts() == {"attribute added": 1}
    assert one.digest != other.digest


def test_a_table_in_use_keeps_its_records_when_the_metadata_change(client: Organization) -> None:
    entity = make_named("new_000", make_attribute("fax", max_length=20))
    make_update(client, entity).apply()
    enable(client, ["new_000"])
    store = Store(client)
    kept = store.create("new_000", {"name": "A", "fax": "123"})
    changed = make_named("new_000", make_attribute("size", AttributeType.INTEGER))
    plan = make_update(client, changed).apply()
    (removed,) = (item for item in plan.entities[0].items if item.verb is Verb.REMOVE)
    assert (removed.name, removed.at_risk) == ("new_000.fax", 1)
    store = Store(client)
    store.update("new_000", kept.id, {"size": 3})
    assert store.get("new_000", kept.id).values["name"] == "A"
    make_update(client, entity).apply()
    assert Store(client).get("new_000", kept.id).values["fax"] == "123"


@pytest.mark.parametrize("name", ["account", "contact", "incident", "opportunity", "connection"])
def test_it_carries_one_real_organization_over_to_another(client: Organization, name: str) -> None:
    """The English and the Japanese definitions are of two organizations."""
    english, japanese = (entity_from_json(definition(n)) for n in (name, f"{name}.ja"))
    make_update(client, english).apply()
    update = make_update(client, japanese)
    plan = update.preview()
    new = {item.name for item in japanese.attributes} - {item.name for item in english.attributes}
    gone = {item.name for item in english.attributes} - {item.name for item in japanese.attributes}
    assert found(plan, Verb.ADD) == {f"{name}.{attribute}" for attribute in new}
    assert found(plan, Verb.REMOVE) == {f"{name}.{attribute}" for attribute in gone}
    assert f"{name}.label.1041" in found(plan, Verb.ADD, Element.LABEL)
    assert f"{name}.label.1033" in found(plan, Verb.REMOVE, Element.LABEL)
    assert plan.counts().keys() <= {
        "attribute added",
        "attribute removed",
        "label added",
        "label removed",
    }
    assert update.apply(plan) == plan
    assert make_update(client, japanese).apply().is_empty


def found(plan: MetadataPlan, verb: Verb, element: Element = Element.ATTRIBUTE) -> set[str]:
    (entity,) = plan.entities
    return {item.name for item in entity.items if (item.verb, item.element) == (verb, element)}


def peak_of(client: Organization, count: int) -> int:
    """Return the most memory in bytes that taking over so many entities held at once."""
    update = MetadataUpdate(ManyEntities(count), client, StoreImpact(client))
    tracemalloc.start()
    try:
        plan = update.apply()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(plan.entities) == EntityDefinition.objects.filter(organization=client).count()
    return peak


def test_memory_does_not_grow_with_the_number_of_entities() -> None:
    peak_of(create_organization("warm-up"), 20)
    few, many = (peak_of(create_organization(f"of-{count}"), count) for count in (100, 500))
    assert many <= 1.2 * few, (few, many)
