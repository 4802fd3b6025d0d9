"""Generated records: the same for the same seed, canonical, connected, and of every kind."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import pytest

from organizations import values
from organizations.catalog import create_organization, define, enable
from organizations.errors import InvalidRequest
from organizations.models import Organization
from organizations.query.nodes import Query
from organizations.samples import contoso
from organizations.samples.generator import generate, tables
from organizations.samples.generator.sizes import MAIN, sizes
from organizations.schema import VERSION, AttributeType
from organizations.store import Store

RECORDS = 3000
ENTITIES = {entity.name: entity for entity in contoso.entities()}


@lru_cache(maxsize=2)
def made(seed: int) -> dict[str, list[dict[str, Any]]]:
    return {
        table.entity.name: [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        for table in tables(records=RECORDS, seed=seed)
    }


def found(entity: str, column: str) -> set[Any]:
    return {row[column] for row in made(1)[entity]}


def make_organization() -> Organization:
    organization = create_organization("sample", Organization.Kind.DYNAMICS_TWIN)
    define(organization, ENTITIES.values())
    enable(organization, ENTITIES)
    return organization


def test_it_makes_the_same_records_for_the_same_seed() -> None:
    again = {table.entity.name: list(table.rows) for table in tables(records=RECORDS, seed=1)}
    assert {name: [tuple(row.values()) for row in rows] for name, rows in made(1).items()} == again


def test_it_makes_other_records_for_another_seed() -> None:
    assert not found("account", "accountid") & {row["accountid"] for row in made(2)["account"]}


def test_it_makes_as_many_main_records_as_asked_for() -> None:
    assert sum(len(made(1)[name]) for name in MAIN) == RECORDS
    assert len(made(1)["contact"]) > len(made(1)["account"]) > len(made(1)["lead"])


@pytest.mark.parametrize("records", [0, 1, 7, 99, 12_345])
def test_it_divides_any_number(records: int) -> None:
    counts = sizes(records, privileges=8)
    assert sum(counts[name] for name in MAIN) == records
    assert all(
        table.size == len(list(table.rows)) for table in tables(records=min(records, 99), seed=1)
    )


def test_it_refuses_a_negative_number() -> None:
    with pytest.raises(ValueError, match="must be 0 or more, not -1"):
        next(tables(records=-1, seed=1))


def test_it_says_beforehand_how_many_rows_there_will_be() -> None:
    promised = {table.entity.name: table.size for table in tables(records=RECORDS, seed=1)}
    assert promised == {name: len(rows) for name, rows in made(1).items()}


@pytest.mark.parametrize("name", sorted(set(ENTITIES) - {"activityparty"}))
def test_it_makes_canonical_values_within_their_bounds(name: str) -> None:
    for attribute in ENTITIES[name].attributes:
        if not attribute.is_stored or attribute.name == VERSION:
            continue
        for value in found(name, attribute.name):
            assert repr(values.parse(attribute, value)) == repr(value)
            if isinstance(value, str) and attribute.max_length:
                assert len(value) <= attribute.max_length
            if attribute.maximum is not None and value is not None:
                assert attribute.minimum is not None
                assert attribute.minimum <= value <= attribute.maximum
            if attribute.option_set and attribute.type in (
                AttributeType.PICKLIST,
                AttributeType.STATUS,
                AttributeType.STATE,
            ):
                assert value is None or attribute.option_set.option(value)


@pytest.mark.parametrize("name", sorted(set(ENTITIES) - {"activityparty"}))
def test_it_points_at_records_that_are_there(name: str) -> None:
    ids = {
        entity: {row[ENTITIES[entity].primary_id] for row in rows}
        for entity, rows in made(1).items()
    }
    for attribute in ENTITIES[name].attributes:
        if not attribute.is_lookup:
            continue
        for row in made(1)[name]:
            target = row.get(f"{attribute.name}__type", attribute.targets[0])
            assert row[attribute.name] is None or row[attribute.name] in ids[target]
            assert (row[attribute.name] is None) or target in attribute.targets


def test_it_gives_every_record_an_id_of_its_own() -> None:
    ids = Counter(row[ENTITIES[name].primary_id] for name, rows in made(1).items() for row in rows)
    assert set(ids.values()) == {1}


def test_it_makes_cycles_and_self_references() -> None:
    parents = {row["accountid"]: row["parentaccountid"] for row in made(1)["account"]}
    assert any(parents.get(parent) == key != parent for key, parent in parents.items())
    assert any(parent == key for key, parent in parents.items())
    employers = {row["contactid"]: row["parentcustomerid"] for row in made(1)["contact"]}
    assert any(
        employers.get(row["primarycontactid"]) == row["accountid"] for row in made(1)["account"]
    )


def test_it_points_at_several_entities_from_one_column() -> None:
    assert found("contact", "parentcustomerid__type") == {"account", "contact"}
    assert found("contact", "ownerid__type") == {"systemuser", "team"}
    regarding = found("appointment", "regardingobjectid__type")
    assert regarding == {"account", "contact", "lead", "new_equipment", None}


def test_it_writes_long_text_and_letters_of_many_languages() -> None:
    notes = [text for text in found("new_equipment", "new_notes") if text]
    assert max(map(len, notes)) > 4000
    text = "".join(notes) + "".join(found("account", "name"))
    assert all(letter in text for letter in "ßüčž確🤝")


def test_it_leaves_values_out() -> None:
    assert None in found("account", "emailaddress2")
    assert None not in found("account", "name")


def test_it_fills_every_type_of_the_custom_entity() -> None:
    for attribute in ENTITIES["new_equipment"].attributes:
        if attribute.is_stored and attribute.is_creatable and "overridden" not in attribute.name:
            assert found("new_equipment", attribute.name) - {None}, attribute.name


def test_it_pairs_a_lead_with_a_competitor_once() -> None:
    pairs = Counter((row["leadid"], row["competitorid"]) for row in made(1)["leadcompetitors"])
    assert pairs
    assert set(pairs.values()) == {1}


def test_it_matches_states_and_statuses() -> None:
    statuscode = ENTITIES["lead"].attribute("statuscode")
    assert statuscode
    assert statuscode.option_set
    states = {option.value: option.state for option in statuscode.option_set.options}
    for row in made(1)["lead"]:
        assert states[row["statuscode"]] == row["statecode"]


def test_it_gives_a_user_roles_of_the_own_unit_only() -> None:
    units = {row["systemuserid"]: row["businessunitid"] for row in made(1)["systemuser"]}
    roles = {row["roleid"]: row["businessunitid"] for row in made(1)["role"]}
    for row in made(1)["systemuserroles"]:
        assert units[row["systemuserid"]] == roles[row["roleid"]]


def test_it_makes_rows_only_as_they_are_read() -> None:
    account = next(
        table for table in tables(records=10**9, seed=1) if table.entity.name == "account"
    )
    rows: Iterator[Any] = account.rows
    assert len(list(islice(rows, 3))) == 3
    assert account.size == 250_000_000


@pytest.mark.django_db
def test_it_loads_the_records_and_the_store_makes_the_parties() -> None:
    organization = make_organization()
    told: list[tuple[str, int, int]] = []
    counts = generate(organization, records=200, seed=3, progress=lambda *news: told.append(news))
    store = Store(organization)
    assert counts == {name: store.count(Query(entity=name)) for name in ENTITIES}
    assert counts["activityparty"] > counts["appointment"]
    masks = store.page("activityparty", ["activitypartyid", "participationtypemask"])
    assert {row[1] for row in masks} == {5, 6, 7}
    assert ("account", counts["account"], counts["account"]) in told


@pytest.mark.django_db
def test_it_refuses_to_load_a_negative_number() -> None:
    with pytest.raises(InvalidRequest, match="must be 0 or more"):
        generate(make_organization(), records=-5, seed=1)
