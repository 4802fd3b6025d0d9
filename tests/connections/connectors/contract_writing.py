"""The part of the connector contract about writing."""

from __future__ import annotations

from uuid import uuid4

import pytest

from connections.connectors.base import FailureKind
from organizations.records import Action, Value
from tests.connections.connectors.place import (
    Place,
    changes,
    deleted_of,
    ids_of,
    make_things,
    request,
    rows_of,
    versions_of,
    write,
)
from tests.connections.connectors.sample import EVERY_TYPE


class WritingContract:
    """Creates, updates, deletes, conflicts, pairs."""

    def test_it_creates_records(self, place: Place) -> None:
        (parent,) = make_things(place, 1)
        note = place.create("note", {"title": "n"})
        values = {**EVERY_TYPE, "parent": parent, "customer": note, "customer__type": "note"}
        record_id = str(uuid4())
        with place.connector() as connector:
            result = write(connector, Action.CREATE, [(record_id, values)], [0])
            assert (list(result.ids), result.failed) == ([record_id], {})
            pages = list(connector.read(request(connector, "thing")))
        assert rows_of(pages)[record_id] == {"thingid": record_id, **values}
        assert versions_of(pages)[record_id] == result.versions[0]

    def test_it_updates_only_what_is_given(self, place: Place) -> None:
        record_id = place.create("thing", EVERY_TYPE)
        changed: dict[str, Value] = {"text": "new", "money": None, "choices": None, "day": None}
        with place.connector() as connector:
            version = versions_of(connector.read(request(connector, "thing")))[record_id]
            result = write(connector, Action.UPDATE, [(record_id, changed)], [version])
            assert result.failed == {}
            assert result.versions[0] > version
            pages = list(connector.read(request(connector, "thing")))
        row = rows_of(pages)[record_id]
        assert {name: row[name] for name in EVERY_TYPE} == {**EVERY_TYPE, **changed}
        assert versions_of(pages)[record_id] == result.versions[0]

    def test_it_changes_and_clears_lookups(self, place: Place) -> None:
        note = place.create("note", {"title": "n"})
        (other,) = make_things(place, 1)
        record_id = place.create("thing", {"customer": note, "customer__type": "note"})
        with place.connector() as connector:
            for target, kind in ((other, "thing"), (None, None)):
                version = versions_of(connector.read(request(connector, "thing")))[record_id]
                values = {"customer": target, "customer__type": kind}
                result = write(connector, Action.UPDATE, [(record_id, values)], [version])
                assert result.failed == {}
                row = rows_of(connector.read(request(connector, "thing")))[record_id]
                assert (row["customer"], row["customer__type"]) == (target, kind)

    def test_it_deletes_records(self, place: Place) -> None:
        kept, gone = make_things(place, 2)
        with place.connector() as connector:
            first = list(connector.read(request(connector, "thing")))
            result = write(connector, Action.DELETE, [(gone, {})], [versions_of(first)[gone]])
            assert result.failed == {}
            assert ids_of(connector.read(request(connector, "thing"))) == [kept]
            assert deleted_of(changes(connector, "thing", first)) == {gone}

    def test_it_does_not_create_what_is_there(self, place: Place) -> None:
        record_id = place.create("thing", {"text": "mine"})
        with place.connector() as connector:
            version = versions_of(connector.read(request(connector, "thing")))[record_id]
            result = write(connector, Action.CREATE, [(record_id, {"text": "theirs"})], [0])
            row = rows_of(connector.read(request(connector, "thing")))[record_id]
        assert result.failed[0].kind is FailureKind.CONFLICT
        assert result.failed[0].version == version
        assert row["text"] == "mine"

    @pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
    def test_it_never_overwrites_what_it_has_not_seen(self, place: Place, action: Action) -> None:
        record_id = place.create("thing", {"text": "old"})
        values = {"text": "mine"} if action is Action.UPDATE else {}
        with place.connector() as connector:
            version = versions_of(connector.read(request(connector, "thing")))[record_id]
            place.update("thing", record_id, {"text": "theirs"})
            result = write(connector, action, [(record_id, values)], [version])
            pages = list(connector.read(request(connector, "thing")))
        assert result.failed[0].kind is FailureKind.CONFLICT
        assert result.failed[0].version == versions_of(pages)[record_id] > version
        assert rows_of(pages)[record_id]["text"] == "theirs"

    @pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
    def test_a_record_that_is_gone_is_a_conflict_and_not_made_again(
        self, place: Place, action: Action
    ) -> None:
        record_id = place.create("thing", {"text": "old"})
        values = {"text": "mine"} if action is Action.UPDATE else {}
        with place.connector() as connector:
            version = versions_of(connector.read(request(connector, "thing")))[record_id]
            place.delete("thing", record_id)
            result = write(connector, action, [(record_id, values)], [version])
            assert ids_of(connector.read(request(connector, "thing"))) == []
        if not (place.is_disturbed and action is Action.DELETE and not result.failed):
            assert (result.failed[0].kind, result.failed[0].version) == (FailureKind.CONFLICT, 0)

    def test_one_rejected_record_costs_only_itself(self, place: Place) -> None:
        good, bad, last = (str(uuid4()) for _ in range(3))
        refused = place.unacceptable(bad)
        fine = dict.fromkeys(refused) | {"text": "fine"}
        rows = [(good, fine), (bad, {**fine, **refused}), (last, fine)]
        with place.connector() as connector:
            result = write(connector, Action.CREATE, rows, [0, 0, 0])
            found = ids_of(connector.read(request(connector, "thing")))
        assert list(result.failed) == [1]
        assert result.failed[1].kind is FailureKind.REJECTED
        assert result.failed[1].message
        assert sorted(found) == sorted([good, last])

    def test_it_reads_pairs_and_their_end(self, place: Place) -> None:
        (thing,) = make_things(place, 1)
        note = place.create("note", {"title": "n"})
        place.associate(thing, note)
        with place.connector() as connector:
            first = list(connector.read(request(connector, "thingnote")))
            ((row_id, row),) = rows_of(first).items()
            assert (row["thingid"], row["noteid"]) == (thing, note)
            place.disassociate(thing, note)
            assert deleted_of(changes(connector, "thingnote", first)) == {row_id}

    def test_it_makes_a_pair_once(self, place: Place) -> None:
        (thing,) = make_things(place, 1)
        note = place.create("note", {"title": "n"})
        values = {"thingid": thing, "noteid": note}
        with place.connector() as connector:
            pairs = [
                write(connector, Action.CREATE, [(str(uuid4()), values)], [0], "thingnote")
                for _ in range(2)
            ]
            found = list(connector.read(request(connector, "thingnote")))
        assert [pair.failed for pair in pairs] == [{}, {}]
        assert pairs[0].ids == pairs[1].ids == ids_of(found)
        assert pairs[1].versions == [versions_of(found)[pairs[0].ids[0]]]

    def test_it_removes_a_pair(self, place: Place) -> None:
        (thing,) = make_things(place, 1)
        note = place.create("note", {"title": "n"})
        place.associate(thing, note)
        with place.connector() as connector:
            found = list(connector.read(request(connector, "thingnote")))
            ((row_id, version),) = versions_of(found).items()
            result = write(connector, Action.DELETE, [(row_id, {})], [version], "thingnote")
            assert result.failed == {}
            assert ids_of(connector.read(request(connector, "thingnote"))) == []
