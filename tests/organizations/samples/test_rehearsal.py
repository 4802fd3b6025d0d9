"""Generated records for any metadata: what the metadata allow, and what believable records keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from organizations.catalog import Catalog
from organizations.dynamics.codec import entity_from_json
from organizations.errors import InvalidRequest
from organizations.models import Organization
from organizations.records import RecordValue, Reference
from organizations.samples import contoso
from organizations.samples.generator.rows import Table
from organizations.samples.rehearsal import make_rehearsal
from organizations.samples.rehearsal_rows import PARTY, tables
from organizations.schema import (
    Attribute,
    AttributeType,
    Entity,
    Key,
    Option,
    OptionSet,
    RequiredLevel,
)
from organizations.store import Store
from organizations.store.checking import flatten
from tests.organizations.dynamics.library import ENTITIES
from tests.organizations.dynamics.shared_data import definition

T = AttributeType
PASSWORD = "a long enough password"
ODD = Entity(
    name="odd",
    primary_id="oddid",
    primary_name="title",
    keys=(Key(name="odd_number", attributes=("number",)),),
    attributes=(
        Attribute(name="oddid", type=T.UNIQUEIDENTIFIER, is_primary_id=True),
        Attribute(name="title", type=T.STRING, max_length=3, is_primary_name=True),
        Attribute(name="number", type=T.STRING, max_length=10),
        Attribute(name="category", type=T.INTEGER, minimum=-9, maximum=-3),
        Attribute(name="sic", type=T.LOOKUP, targets=("nowhere",)),
        Attribute(name="suffix", type=T.PICKLIST, option_set=OptionSet(name="empty")),
        Attribute(name="pager", type=T.MONEY, minimum=0, maximum=5, precision=2),
        Attribute(name="year", type=T.INTEGER, minimum=200_000, maximum=300_000),
        Attribute(name="parentid", type=T.LOOKUP, targets=("odd",)),
        Attribute(name="bossid", type=T.CUSTOMER, targets=("odd", "nowhere")),
        Attribute(
            name="managername",
            type=T.MULTISELECT,
            option_set=OptionSet(name="some", options=(Option(value=5), Option(value=7))),
        ),
        Attribute(
            name="friendid",
            type=T.LOOKUP,
            targets=("friend",),
            required=RequiredLevel.APPLICATION,
        ),
    ),
)
FRIEND = Entity(
    name="friend",
    primary_id="friendid",
    attributes=(Attribute(name="friendid", type=T.UNIQUEIDENTIFIER, is_primary_id=True),),
)


def make(entities: Iterable[Entity], records: int = 40, seed: int = 1) -> dict[str, Table]:
    made = {}
    for table in tables(entities, records=records, seed=seed):
        rows = list(table.rows)
        made[table.entity.name] = Table(table.entity, table.columns, table.size, iter(rows))
    return made


def records_of(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def values_of(entity: Entity, record: dict[str, Any]) -> dict[str, RecordValue]:
    """Return the record as a client would write it."""
    found: dict[str, RecordValue] = {}
    for attribute in entity.attributes:
        if attribute.name not in record:
            continue
        value = record[attribute.name]
        if attribute.is_lookup and value is not None:
            target = record.get(f"{attribute.name}__type") or attribute.targets[0]
            value = Reference(target, value)
        found[attribute.name] = value
    return found


@pytest.mark.parametrize(
    "entities",
    [contoso.entities(), ENTITIES, (ODD, FRIEND), (ODD,)],
    ids=["contoso", "library", "odd", "alone"],
)
def test_every_value_is_one_the_organization_would_take(entities: Iterable[Entity]) -> None:
    for table in make(entities).values():
        for record in records_of(table):
            flatten(table.entity, values_of(table.entity, record))


def test_lookups_stay_within_the_set() -> None:
    made = {name: records_of(table) for name, table in make(contoso.entities()).items()}
    primary = {entity.name: entity.primary_id for entity in contoso.entities()}
    ids = {name: {row[primary[name]] for row in rows} for name, rows in made.items()}
    pointed = Counter[str]()
    for entity in contoso.entities():
        for attribute in (item for item in entity.attributes if item.is_lookup):
            for row in made.get(entity.name, ()):
                value = row.get(attribute.name)
                if value is not None:
                    target = row.get(f"{attribute.name}__type") or attribute.targets[0]
                    assert value in ids[target], (entity.name, attribute.name)
                    pointed[target] += 1
    assert pointed["systemuser"] > 100
    assert pointed["account"] > 10


def test_there_are_no_more_than_asked_for() -> None:
    sizes = {name: table.size for name, table in make(contoso.entities(), records=7).items()}
    assert max(sizes.values()) == 7
    assert sizes["account"] == 7
    assert sizes["businessunit"] == 4
    assert PARTY not in sizes


def test_the_same_seed_makes_the_same_records() -> None:
    first, again = (records_of(make((ODD, FRIEND))["odd"]) for _ in range(2))
    assert first == again
    assert records_of(make((ODD, FRIEND), seed=2)["odd"]) != first


def test_a_status_belongs_to_its_state() -> None:
    lead = next(entity for entity in contoso.entities() if entity.name == "lead")
    status = lead.attribute("statuscode")
    assert status is not None
    assert status.option_set is not None
    for record in records_of(make(contoso.entities())["lead"]):
        option = status.option_set.option(record["statuscode"])
        assert option is not None
        assert option.state == record["statecode"]


def test_pairs_and_keys_occur_once() -> None:
    made = make(contoso.entities(), records=30)
    pairs = [(row["leadid"], row["competitorid"]) for row in records_of(made["leadcompetitors"])]
    assert len(pairs) == len(set(pairs)) == 30
    numbers = [row["number"] for row in records_of(make((ODD, FRIEND))["odd"])]
    assert len(numbers) == len(set(numbers)) == 40


def test_required_lookups_have_a_value_and_nobody_is_their_own_parent() -> None:
    records = records_of(make((ODD, FRIEND))["odd"])
    assert all(record["friendid"] for record in records)
    place = {record["oddid"]: position for position, record in enumerate(records)}
    for record in records:
        for name in ("parentid", "bossid"):
            if record[name]:
                assert place[record[name]] < place[record["oddid"]]
                assert record.get("bossid__type") in ("odd", None)
    assert any(record["parentid"] for record in records)


def test_activities_have_parties() -> None:
    for record in records_of(make(contoso.entities())["appointment"]):
        ((mask, entity, _),) = orjson.loads(record["organizer"])
        assert mask == 7
        assert entity in ("systemuser", "account", "contact", "lead")


@pytest.mark.django_db
def test_it_makes_a_twin_with_records() -> None:
    told: list[tuple[str, int, int]] = []
    twin = make_rehearsal(
        "practice",
        contoso.entities(),
        records=5,
        seed=1,
        email="anna@example.org",
        password=PASSWORD,
        progress=lambda *step: told.append(step),
    )
    assert twin.organization.kind == Organization.Kind.DYNAMICS_TWIN
    assert Store(twin.organization).count_records("contact") == 5
    assert twin.counts["contact"] == 5
    assert twin.counts[PARTY] > 5
    assert ("contact", 5, 5) in told
    assert Catalog(twin.organization).enabled("lead")


@pytest.mark.django_db
def test_it_makes_all_or_nothing() -> None:
    with pytest.raises(InvalidRequest, match="must be 0 or more, not -1"):
        make_practice(records=-1)
    with pytest.raises(InvalidRequest, match="is not an e-mail address"):
        make_practice(email="anna")
    assert not Organization.objects.exists()


def make_practice(**changes: Any) -> None:
    given = {"records": 1, "seed": 1, "email": "anna@example.org", "password": PASSWORD}
    make_rehearsal("practice", contoso.entities(), **{**given, **changes})


def test_real_metadata_can_be_filled() -> None:
    entities = [entity_from_json(definition(name)) for name in ("lead", "account", "contact")]
    for table in make(entities, records=20).values():
        assert table.size == 20
        for record in records_of(table):
            flatten(table.entity, values_of(table.entity, record))
