"""Deletions: with Sync Deletion the client has no more what the server deleted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.acceptance.cells import DELETIONS, Cell, Circumstances
from tests.acceptance.story import DeletionStory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("cell", DELETIONS, ids=lambda cell: cell.id)
def test_deletions(cell: Cell, deletions: Mapping[Circumstances, DeletionStory]) -> None:
    story = deletions[cell.circumstances]
    how = story.recipes[cell.entity]
    assert story.before[cell.entity]
    assert how.text_on_client(story.there[cell.entity]) is None
    assert how.text_on_client(story.kept[cell.entity]) is not None
    if how.creates_from_client:
        assert how.text_on_server(story.here[cell.entity]) is None
        assert how.text_on_client(story.here[cell.entity]) is None
        is_instant = cell.circumstances.mode == "instant"
        assert (story.seen[cell.entity] is None) == is_instant
