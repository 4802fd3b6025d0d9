"""Data: created and updated on either side, both organizations have it (mission.md A4)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.acceptance.cells import DATA, Cell, Circumstances
from tests.acceptance.story import DataStory, undelivered

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("cell", DATA, ids=lambda cell: cell.id)
def test_data(cell: Cell, data: Mapping[Circumstances, DataStory]) -> None:
    story = data[cell.circumstances]
    how, found, where = story.recipes[cell.entity], story.records[cell.entity], cell.circumstances
    assert how.text_on_client(found.created_there) == how.text_on_server(found.created_there)
    assert how.text_on_client(found.created_there) is not None
    is_outside = how.text_on_client(found.outside) is None
    assert is_outside == where.is_filtered
    if how.updates:
        for item, what in ((found.changed_there, "there"), (found.changed_here, "here")):
            text = f"In changed {what} {where.tag}"
            assert (how.text_on_server(item), how.text_on_client(item)) == (text, text)
    if how.creates_from_client:
        there = how.text_on_server(found.created_here)
        assert there is not None
        assert there == how.text_on_client(found.created_here)
    _check_mode(cell, story)
    assert undelivered(story.place) == []


def _check_mode(cell: Cell, story: DataStory) -> None:
    """Instant: the server had the client's changes before Sync All. Offline: it did not."""
    how, found = story.recipes[cell.entity], story.records[cell.entity]
    is_instant = cell.circumstances.mode == "instant"
    if how.creates_from_client:
        assert (found.before_sync[found.created_here] is not None) == is_instant
    if how.updates:
        was_changed = (found.before_sync[found.changed_here] or "").startswith("In changed here")
        assert was_changed == is_instant
    if cell.entity in ("role", "systemuser"):
        assert how.text_on_server(found.created_here) is None
