"""Which client records of marked links are to be deleted."""

from __future__ import annotations

import pytest

from syncjobs.engine.plan import Rules
from syncjobs.engine.values import LinkRow, LinkState

CURRENT, DELETED, LEFT = LinkState


def make_link(state: LinkState, client_id: str = "a") -> LinkRow:
    return LinkRow("a", client_id, 1, 1, "0" * 32, state)


@pytest.mark.parametrize(
    ("state", "deletes", "deletes_left", "is_deleted"),
    [
        (CURRENT, True, True, False),
        (DELETED, True, False, True),
        (DELETED, False, True, False),
        (LEFT, True, False, False),
        (LEFT, False, True, True),
    ],
)
def test_each_mark_has_a_switch_of_its_own(
    state: LinkState, deletes: bool, deletes_left: bool, is_deleted: bool
) -> None:
    rules = Rules(deletes=deletes, deletes_left=deletes_left)
    assert rules.is_deleted(make_link(state)) is is_deleted


@pytest.mark.parametrize(("client_id", "is_deleted"), [("a", True), ("b", False)])
def test_what_the_client_had_by_itself_is_never_deleted(client_id: str, is_deleted: bool) -> None:
    rules = Rules(deletes=True, independent=True)
    assert rules.is_deleted(make_link(DELETED, client_id)) is is_deleted
