"""The connector contract for organizations that tell edits by row version only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connections.connectors.base import Edits
from connections.errors import CheckpointExpired
from organizations.records import Action
from tests.connections.connectors.contract_changes import ChangesContract
from tests.connections.connectors.contract_filters import FiltersContract
from tests.connections.connectors.contract_reading import ReadingContract
from tests.connections.connectors.contract_writing import WritingContract
from tests.connections.connectors.place import (
    Place,
    make_things,
    request,
    versions_of,
    write,
)

NAMES = ("thing", "note", "thingnote")


class VersionEditsContract:
    """Edits without values, in the order of their versions."""

    def test_it_tells_which_records_were_written(self, place: Place) -> None:
        with place.connector() as connector:
            since = connector.edits((), 0).until
            kept, gone = make_things(place, 2)
            note = place.create("note", {"title": "n"})
            place.associate(kept, note)
            place.update("thing", kept, {"text": "changed"})
            place.delete("thing", gone)
            told = connector.edits(NAMES, since)
        pair, changed, deleted = (edit for edit in told.items if edit.id != note)
        assert (pair.entity, pair.action) == ("thingnote", Action.CREATE)
        assert (changed.entity, changed.id, changed.action) == ("thing", kept, Action.UPDATE)
        assert (deleted.entity, deleted.id, deleted.action) == ("thing", gone, Action.DELETE)
        assert [edit.changes for edit in told.items] == [None] * 4
        versions = [edit.version for edit in told.items]
        assert versions == sorted(versions)
        assert since < versions[0] <= versions[-1] <= told.until
        assert told.is_last

    def test_it_tells_them_in_pages(self, place: Place) -> None:
        with place.connector() as connector:
            since = connector.edits((), 0).until
            ids, found = make_things(place, 5), []
            told = connector.edits(NAMES, since, limit=2)
            while not told.is_last:
                assert len(told.items) == 2
                assert told.until == told.items[-1].version
                found += [edit.id for edit in told.items]
                told = connector.edits(NAMES, told.until, limit=2)
            found += [edit.id for edit in told.items]
            assert found == ids
            assert connector.edits(NAMES, told.until) == Edits(items=[], until=told.until)

    def test_it_tells_its_own_writes_at_the_versions_it_was_given(self, place: Place) -> None:
        with place.connector() as connector:
            since = connector.edits((), 0).until
            record_id = "11111111-1111-4111-8111-111111111111"
            result = write(connector, Action.CREATE, [(record_id, {"text": "ours"})], [0])
            (edit,) = connector.edits(NAMES, since).items
        assert (edit.id, edit.version) == (record_id, result.versions[0])

    def test_it_tells_only_the_entities_asked_for(self, place: Place) -> None:
        with place.connector() as connector:
            since = connector.edits((), 0).until
            make_things(place, 1)
            note = place.create("note", {"title": "n"})
            assert [edit.id for edit in connector.edits(["note"], since).items] == [note]
            assert connector.edits(["nothing"], since).items == []

    def test_it_knows_the_version_of_now(self, place: Place) -> None:
        with place.connector() as connector:
            make_things(place, 1)
            now = versions_of(connector.read(request(connector, "thing")))
            later = datetime.now(UTC) + timedelta(minutes=1)
            assert connector.version_at(later) == max(now.values())

    def test_it_does_not_believe_a_version_that_was_never_reached(self, place: Place) -> None:
        make_things(place, 1)
        with place.connector() as connector:
            last = connector.edits((), 0).until
            with pytest.raises(CheckpointExpired):
                connector.edits(NAMES, last + 1)


class RescoCloudContract(
    ReadingContract, ChangesContract, FiltersContract, WritingContract, VersionEditsContract
):
    """The contract of every connector, but for the log of edits, which nobody can ask here."""
