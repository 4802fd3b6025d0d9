"""The part of the connector contract about what changed since."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.errors import CheckpointExpired, ConnectorError
from tests.connections.connectors.place import (
    Place,
    changes,
    deleted_of,
    ids_of,
    make_things,
    request,
    rows_of,
)


class ChangesContract:
    """Checkpoints, resumed readings, changes."""

    def test_it_reads_what_changed_since(self, place: Place) -> None:
        kept, changed, removed = make_things(place, 3)
        with place.connector() as connector:
            first = list(connector.read(request(connector, "thing")))
            second = changes(connector, "thing", first)
            assert (ids_of(second), deleted_of(second)) == ([], set())
            place.update("thing", changed, {"text": "changed"})
            place.delete("thing", removed)
            added = place.create("thing", {"text": "added"})
            third = changes(connector, "thing", second)
            fourth = changes(connector, "thing", third)
        assert sorted(ids_of(third)) == sorted([changed, added])
        assert rows_of(third)[changed]["text"] == "changed"
        assert removed in deleted_of(third)
        assert kept not in deleted_of(third)
        assert (ids_of(fourth), deleted_of(fourth)) == ([], set())

    def test_it_reads_changes_of_an_entity_without_tracking(self, place: Place) -> None:
        notes = [place.create("note", {"title": f"note {at}"}) for at in range(3)]
        with place.connector() as connector:
            first = list(connector.read(request(connector, "note")))
            assert sorted(ids_of(first)) == sorted(notes)
            assert ids_of(changes(connector, "note", first)) == []
            place.update("note", notes[1], {"title": "changed"})
            second = changes(connector, "note", first)
            assert ids_of(second) == [notes[1]]
            assert ids_of(changes(connector, "note", second)) == []

    def test_it_misses_nothing_that_changes_while_it_reads(self, place: Place) -> None:
        make_things(place, 6)
        with place.connector() as connector:
            reading = iter(connector.read(request(connector, "thing", page_size=2)))
            first = next(reading)
            early = str(first.rows[0][0])
            place.update("thing", early, {"text": "changed behind its back"})
            added = place.create("thing", {"text": "added"})
            rest = [first, *reading]
            given = rows_of(rest)
            later = rows_of(changes(connector, "thing", rest))
        assert {**given, **later}[early]["text"] == "changed behind its back"
        assert added in {**given, **later}

    def test_it_goes_on_where_another_connector_stopped(self, place: Place) -> None:
        ids = make_things(place, 7)
        with place.connector() as connector:
            asked = request(connector, "thing", page_size=2)
            pages = [next(iter(connector.read(asked)))]
        while pages[-1].resume:
            with place.connector() as connector:
                again = replace(asked, resume=pages[-1].resume)
                pages.append(next(iter(connector.read(again))))
        assert sorted(ids_of(pages)) == sorted(ids)
        with place.connector() as connector:
            assert ids_of(changes(connector, "thing", pages)) == []

    def test_it_goes_on_with_changes_where_another_connector_stopped(self, place: Place) -> None:
        ids = make_things(place, 6)
        with place.connector() as connector:
            first = list(connector.read(request(connector, "thing")))
            for record_id in ids[:5]:
                place.update("thing", record_id, {"text": "changed"})
            place.delete("thing", ids[5])
            asked = request(connector, "thing", page_size=2, since=first[-1].checkpoint)
            pages = [next(iter(connector.read(asked)))]
        while pages[-1].resume:
            with place.connector() as connector:
                again = replace(asked, resume=pages[-1].resume)
                pages.append(next(iter(connector.read(again))))
        assert set(ids_of(pages)) == set(ids[:5])
        assert ids[5] in deleted_of(pages)

    def test_it_says_that_a_checkpoint_has_expired(self, place: Place) -> None:
        make_things(place, 1)
        with place.connector() as connector:
            first = list(connector.read(request(connector, "thing")))
            second = changes(connector, "thing", first)
            place.expire()
            with pytest.raises(CheckpointExpired):
                changes(connector, "thing", second)

    def test_a_foreign_token_is_not_believed(self, place: Place) -> None:
        with place.connector() as connector, pytest.raises(ConnectorError):
            list(connector.read(request(connector, "thing", resume="nonsense")))
