"""The part of the connector contract about what others wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from connections.connectors.base import Connector, Edit
from connections.errors import CheckpointExpired, Refused
from organizations.records import Action, Value
from tests.connections.connectors.place import (
    Place,
    make_things,
    request,
    versions_of,
    write,
)
from tests.connections.connectors.sample import EVERY_TYPE

NAMES = ("thing", "note", "thingnote")
_STAMPS = {"createdon", "modifiedon"}


class EditsContract:
    """The log of edits, or the sentence that there is none."""

    def test_it_says_that_it_keeps_no_log(self, place: Place) -> None:
        if place.neighbour() is not None:
            return
        with place.connector() as connector:
            with pytest.raises(Refused, match="Changes made in a .* cannot be collected"):
                connector.edits(NAMES, 0)
            assert connector.version_at(datetime.now(UTC)) == 0

    def test_it_tells_edits_in_order_with_old_and_new_values(self, place: Place) -> None:
        if place.neighbour() is None:
            return
        with place.connector() as connector:
            since = now(connector)
            record_id = place.create("thing", {"text": "one", "whole": 1})
            place.update("thing", record_id, {"text": "two"})
            place.delete("thing", record_id)
            told = connector.edits(NAMES, since)
        assert [edit.action for edit in told.items] == [
            Action.CREATE,
            Action.UPDATE,
            Action.DELETE,
        ]
        assert {(edit.entity, edit.id) for edit in told.items} == {("thing", record_id)}
        created, updated, deleted = map(changes_of, told.items)
        assert created == {"thingid": (None, record_id), "text": (None, "one"), "whole": (None, 1)}
        assert updated == {"text": ("one", "two")}
        assert deleted is None
        versions = [edit.version for edit in told.items]
        assert since < versions[0] < versions[1] < versions[2] == told.until
        assert told.is_last

    @pytest.mark.parametrize("name", EVERY_TYPE)
    def test_it_tells_values_of_every_type_as_they_were(self, place: Place, name: str) -> None:
        if place.neighbour() is None:
            return
        with place.connector() as connector:
            since = now(connector)
            record_id = place.create("thing", {"text": "", name: EVERY_TYPE[name]})
            place.update("thing", record_id, {name: None})
            made, cleared = map(changes_of, connector.edits(NAMES, since).items)
        assert made is not None
        assert cleared is not None
        assert made[name] == (None, EVERY_TYPE[name])
        assert cleared == {name: (EVERY_TYPE[name], None)}
        assert type(made[name][1]) is type(EVERY_TYPE[name])

    def test_it_tells_lookups_with_their_entity(self, place: Place) -> None:
        if place.neighbour() is None:
            return
        note = place.create("note", {"title": "n"})
        (thing,) = make_things(place, 1)
        with place.connector() as connector:
            since = now(connector)
            place.update("thing", thing, {"customer": note, "customer__type": "note"})
            (edit,) = connector.edits(NAMES, since).items
        assert changes_of(edit) == {"customer": (None, note), "customer__type": (None, "note")}

    def test_it_tells_pairs(self, place: Place) -> None:
        if place.neighbour() is None:
            return
        (thing,) = make_things(place, 1)
        note = place.create("note", {"title": "n"})
        with place.connector() as connector:
            since = now(connector)
            place.associate(thing, note)
            place.disassociate(thing, note)
            made, gone = connector.edits(NAMES, since).items
        changes = changes_of(made)
        assert changes is not None
        assert (changes["thingid"], changes["noteid"]) == ((None, thing), (None, note))
        assert (made.entity, gone.entity, gone.id) == ("thingnote", "thingnote", made.id)
        assert (made.action, gone.action) == (Action.CREATE, Action.DELETE)

    def test_it_tells_them_in_pages(self, place: Place) -> None:
        if place.neighbour() is None:
            return
        with place.connector() as connector:
            since = now(connector)
            ids, found = make_things(place, 5), []
            told = connector.edits(NAMES, since, limit=2)
            while True:
                assert len(told.items) <= 2
                found += [edit.id for edit in told.items]
                if told.is_last:
                    break
                assert told.until == told.items[-1].version
                told = connector.edits(NAMES, told.until, limit=2)
            assert found == ids
            assert connector.edits(NAMES, told.until).items == []

    def test_it_leaves_out_its_own_writes_and_tells_those_of_others(self, place: Place) -> None:
        neighbour = place.neighbour()
        if neighbour is None:
            return
        ours, theirs = str(uuid4()), str(uuid4())
        with place.connector() as connector, neighbour:
            since = now(connector)
            values: dict[str, Value] = {"text": "carried"}
            write(connector, Action.CREATE, [(ours, values)], [0])
            write(neighbour, Action.CREATE, [(theirs, values)], [0])
            told = connector.edits(NAMES, since)
            assert [(edit.id, edit.changes) for edit in told.items] == [(theirs, None)]
            assert [edit.id for edit in neighbour.edits(NAMES, since).items] == [ours]
            version = versions_of(connector.read(request(connector, "thing")))[ours]
            write(connector, Action.DELETE, [(ours, {})], [version])
            again = connector.edits(NAMES, told.until)
            assert (again.items, again.until) == ([], now(connector))

    def test_it_tells_only_the_entities_asked_for(self, place: Place) -> None:
        if place.neighbour() is None:
            return
        with place.connector() as connector:
            since = now(connector)
            make_things(place, 1)
            note = place.create("note", {"title": "n"})
            assert [edit.id for edit in connector.edits(["note"], since).items] == [note]
            assert connector.edits(["nothing"], since).items == []

    def test_it_finds_the_version_at_a_moment(self, place: Place) -> None:
        if place.neighbour() is None:
            return
        with place.connector() as connector:
            make_things(place, 2)
            last = now(connector)
            assert connector.version_at(datetime.now(UTC) + timedelta(minutes=1)) == last
            assert connector.version_at(datetime.now(UTC) - timedelta(hours=1)) == 0

    def test_it_does_not_believe_a_version_that_was_never_reached(self, place: Place) -> None:
        if place.neighbour() is None:
            return
        make_things(place, 1)
        with place.connector() as connector:
            last = now(connector)
            assert connector.edits(NAMES, last).items == []
            with pytest.raises(CheckpointExpired):
                connector.edits(NAMES, last + 1)


def now(connector: Connector) -> int:
    return connector.edits((), 0).until


def changes_of(edit: Edit) -> dict[str, tuple[Value, Value]] | None:
    """Return the changes without the times that a hosted organization writes by itself."""
    if edit.changes is None:
        return None
    return {name: pair for name, pair in edit.changes.items() if name not in _STAMPS}
