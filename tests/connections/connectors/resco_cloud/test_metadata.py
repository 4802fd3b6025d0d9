"""Entities and their words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.errors import Refused, UnknownEntity
from organizations.schema import AttributeType, RequiredLevel
from tests.connections.connectors.place import named
from tests.connections.connectors.resco_cloud.strict import StrictRescoPlace
from tests.fakes.resco.tables import Attribute, Table

T = AttributeType


def test_it_leaves_out_what_is_hidden(place: StrictRescoPlace) -> None:
    with place.connector() as connector:
        known = {summary.name: summary for summary in connector.entities()}
        assert set(known) == {"thing", "note", "thingnote", "task"}
        assert known["task"].is_activity
        with pytest.raises(UnknownEntity):
            list(connector.describe(["trackingdelete"]))


def test_it_reads_states_and_their_statuses(place: StrictRescoPlace) -> None:
    with place.connector() as connector:
        (task,) = connector.describe(["task"])
    assert (task.primary_id, task.primary_name) == ("id", "name")
    state, status = named(task, "statecode"), named(task, "statuscode")
    assert (state.type, status.type) == (T.STATE, T.STATUS)
    assert status.option_set is not None
    pairs = [(option.value, option.state) for option in status.option_set.options]
    assert pairs == [(2, 0), (3, 0), (5, 1)]


def test_both_ends_know_their_pairs(place: StrictRescoPlace) -> None:
    with place.connector() as connector:
        thing, note, pair = connector.describe(["thing", "note", "thingnote"])
    assert pair.intersect is not None
    assert [item.name for item in thing.many_to_many] == ["thing_note"]
    assert thing.many_to_many == note.many_to_many == (pair.intersect,)


def test_an_entity_that_cannot_be_read_is_a_problem_of_its_own(place: StrictRescoPlace) -> None:
    strange = Table("strange", "id", (Attribute("id", "UniqueIdentifier"), Attribute("x", "Cube")))
    place.organization.tables["strange"] = strange
    with place.connector() as connector:
        known = {summary.name: summary.problem for summary in connector.entities()}
        assert "unknown type 'Cube'" in known.pop("strange")
        assert set(known.values()) == {""}
        with pytest.raises(Refused, match="metadata of 'strange' cannot be read: .*'Cube'"):
            list(connector.describe(["strange"]))


def test_it_reads_what_is_required(place: StrictRescoPlace) -> None:
    tables = place.organization.tables
    must = Attribute("title", more={"Required": "true"})
    tables["note"] = replace(tables["note"], attributes=(*tables["note"].attributes[:1], must))
    with place.connector() as connector:
        (note,) = connector.describe(["note"])
    assert named(note, "title").required is RequiredLevel.APPLICATION
