"""What a folded transaction keeps of its past: nothing that was about other values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from syncjobs.engine.folding import fold, set_aside
from syncjobs.engine.transactions import Action, Conflict, Status, Transaction
from syncjobs.engine.values import Side
from tests.syncjobs.engine.test_folding import changed, make_change, make_waiting, only

MOMENT = datetime(2024, 5, 3, tzinfo=UTC)
ASKED = Conflict(base={}, server={"name": "s"}, client={"name": "b"}, server_version=6)


def make_past(**more: object) -> Transaction:
    """One that failed and was decided about."""
    values: dict[str, object] = {
        "status": Status.ERROR,
        "next_attempt": MOMENT,
        "code": "1",
        "message": "Refused.",
        "choices": {"name": Side.CLIENT},
    }
    waiting = make_waiting(changes=changed(name=("a", "b")))
    return replace(waiting, **values | more)  # type: ignore[arg-type]


def test_one_that_is_set_aside_keeps_only_its_change() -> None:
    gone = set_aside(make_past(conflict=ASKED), "Why.")
    assert (gone.status, gone.code, gone.message) == (Status.ARCHIVED, "", "Why.")
    assert (gone.next_attempt, gone.conflict, gone.choices) == (None, None, {})
    assert gone.changes == changed(name=("a", "b"))


def test_one_that_was_cancelled_out_has_no_change_left() -> None:
    folded = fold([make_past()], make_change(Action.UPDATE, changed(name=("b", "a"))))
    (gone,) = folded.archived
    assert (folded.waiting, gone.changes) == ((), {})


def test_one_that_failed_is_pending_as_if_it_were_new() -> None:
    merged = only(fold([make_past()], make_change(Action.UPDATE, changed(name=("b", "c")))))
    assert (merged.status, merged.attempts, merged.next_attempt) == (Status.PENDING, 0, None)
    assert (merged.code, merged.message, merged.choices) == ("", "", {})


def test_what_was_decided_is_not_decided_for_later_values() -> None:
    decided = make_past(status=Status.PENDING, conflict=ASKED)
    merged = only(fold([decided], make_change(Action.UPDATE, changed(name=("b", "c")))))
    assert (merged.conflict, merged.choices) == (None, {})
    assert merged.changes == changed(name=("a", "c"))


@pytest.mark.parametrize("action", [Action.DELETE, Action.UPDATE])
def test_a_question_stays_with_the_new_values(action: Action) -> None:
    later = changed(name=("b", "c")) if action is Action.UPDATE else None
    merged = only(fold([make_past(conflict=ASKED)], make_change(action, later)))
    assert merged.status is Status.ERROR
    assert merged.conflict is not None
    assert merged.conflict.client == ({"name": "c"} if later else {})
    assert merged.choices == {}
