"""Folding a later change into what waits: one situation per test, as the table has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from organizations.records import Value
from syncjobs.engine.folding import (
    CANCELLED_OUT,
    CHANGED_SINCE,
    MADE_AND_DELETED,
    Folded,
    fold,
)
from syncjobs.engine.transactions import (
    LOST,
    UNREADABLE,
    Action,
    Changed,
    Conflict,
    Status,
    Transaction,
)
from syncjobs.engine.values import Side

CREATE, UPDATE, DELETE = Action.CREATE, Action.UPDATE, Action.DELETE
ASSOCIATE, DISASSOCIATE = Action.ASSOCIATE, Action.DISASSOCIATE
LATER = datetime(2024, 5, 2, tzinfo=UTC)
Pairs = Mapping[str, tuple[Value, Value]]


def changed(**pairs: tuple[Value, Value]) -> dict[str, Changed]:
    return {name: Changed(*pair) for name, pair in pairs.items()}


def make_waiting(
    action: Action = UPDATE, changes: Mapping[str, Changed] | None = None, **more: object
) -> Transaction:
    made = Transaction(
        id=1,
        entity=7,
        client_id="a",
        action=action,
        version=5,
        first_version=4,
        changes=changes,
        based_on=3,
        actor="ann",
    )
    return replace(made, **more)  # type: ignore[arg-type]


def make_change(
    action: Action = UPDATE, changes: Mapping[str, Changed] | None = None
) -> Transaction:
    return Transaction(
        entity=7,
        client_id="a",
        action=action,
        version=9,
        first_version=9,
        changes=changes,
        based_on=3,
        actor="bob",
        at=LATER,
    )


def only(folded: Folded) -> Transaction:
    (one,) = folded.waiting
    assert folded.archived == ()
    return one


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(UPDATE, UPDATE), (UPDATE, DELETE), (CREATE, CREATE), (CREATE, DELETE)],
)
def test_values_of_the_server_are_kept_from_a_change_of_the_client(
    theirs: Action, ours: Action
) -> None:
    waiting = make_waiting(
        theirs, changed(name=("mine", "theirs")), side=Side.SERVER, status=Status.ERROR, code="429"
    )
    change = make_change(ours, changed(name=("mine", "new")) if ours is not DELETE else None)
    folded = fold([waiting], change)
    assert folded.waiting == (change,)
    (kept,) = folded.archived
    assert kept.changes == waiting.changes
    assert (kept.message, kept.code, kept.is_servers) == (CHANGED_SINCE, LOST, True)


def test_the_one_before_values_of_the_server_takes_the_change_in() -> None:
    older = make_waiting(UPDATE, changed(name=("a", "b")))
    theirs = make_waiting(UPDATE, changed(name=("b", "theirs")), id=2, side=Side.SERVER)
    folded = fold([older, theirs], make_change(UPDATE, changed(name=("b", "c"))))
    (one,) = folded.waiting
    assert (one.id, one.changes) == (1, changed(name=("a", "c")))
    assert [item.id for item in folded.archived] == [2]


@pytest.mark.parametrize("is_linked", [True, False])
def test_whether_the_server_has_the_record_counts_for_the_one_before(is_linked: bool) -> None:
    older = make_waiting(CREATE, changed(name=(None, "b")))
    theirs = make_waiting(UPDATE, changed(name=("b", "theirs")), id=2, side=Side.SERVER)
    folded = fold([older, theirs], make_change(DELETE), is_linked=is_linked)
    assert [item.action for item in folded.waiting] == [DELETE] * is_linked
    assert [item.id for item in folded.archived] == ([2] if is_linked else [1, 2])


def test_values_of_the_server_that_may_be_there_already_are_waited_for() -> None:
    theirs = make_waiting(UPDATE, changed(name=("b", "theirs")), side=Side.SERVER, attempts=1)
    change = make_change(UPDATE, changed(name=("b", "c")))
    assert fold([theirs], change) == Folded((theirs, change))


def test_a_first_change_waits_by_itself() -> None:
    change = make_change(UPDATE, changed(name=("a", "b")))
    assert fold([], change) == Folded((change,))


def test_a_create_takes_updates_in() -> None:
    first = make_waiting(CREATE, changed(name=(None, "a"), city=(None, "Brno")))
    later = changed(name=("a", "b"), city=("Brno", None), phone=(None, "1"))
    merged = only(fold([first], make_change(UPDATE, later)))
    assert (merged.id, merged.action) == (1, CREATE)
    assert merged.changes == changed(name=(None, "b"), phone=(None, "1"))


def test_an_update_takes_updates_in() -> None:
    first = make_waiting(UPDATE, changed(name=("a", "b"), city=("Brno", "Wien")))
    later = changed(name=("b", "c"), city=("Wien", "Brno"), phone=("1", "2"))
    merged = only(fold([first], make_change(UPDATE, later)))
    assert merged.changes == changed(name=("a", "c"), phone=("1", "2"))


def test_a_folded_transaction_has_the_order_of_the_first_and_the_time_of_the_last() -> None:
    first = make_waiting(UPDATE, changed(name=("a", "b")))
    merged = only(fold([first], make_change(UPDATE, changed(name=("b", "c")))))
    assert (merged.first_version, merged.version) == (4, 9)
    assert (merged.actor, merged.at, merged.based_on) == ("bob", LATER, 3)


def test_updates_that_cancel_each_other_out_are_set_aside() -> None:
    first = make_waiting(UPDATE, changed(name=("a", "b")))
    folded = fold([first], make_change(UPDATE, changed(name=("b", "a"))))
    (gone,) = folded.archived
    assert folded.waiting == ()
    assert (gone.id, gone.status, gone.message) == (1, Status.ARCHIVED, CANCELLED_OUT)


@pytest.mark.parametrize("action", [CREATE, UPDATE])
@pytest.mark.parametrize("unknown", ["first", "later"])
def test_what_is_not_known_stays_unknown(action: Action, unknown: str) -> None:
    known = changed(name=("a", "b"))
    first = make_waiting(action, None if unknown == "first" else known)
    change = make_change(UPDATE, None if unknown == "later" else known)
    assert only(fold([first], change)).changes is None


def test_an_update_becomes_a_delete() -> None:
    first = make_waiting(UPDATE, changed(name=("a", "b")))
    merged = only(fold([first], make_change(DELETE)))
    assert (merged.action, merged.changes, merged.first_version) == (DELETE, None, 4)


def test_what_was_made_and_deleted_is_set_aside() -> None:
    first = make_waiting(CREATE, changed(name=(None, "a")))
    folded = fold([first], make_change(DELETE))
    (gone,) = folded.archived
    assert folded.waiting == ()
    assert (gone.status, gone.message) == (Status.ARCHIVED, MADE_AND_DELETED)


@pytest.mark.parametrize("code", [UNREADABLE, "rejected"])
def test_what_the_server_has_is_deleted_there(code: str) -> None:
    made = make_waiting(CREATE, changed(name=(None, "a")))
    first = replace(made, status=Status.ERROR, code=code, message="No.", attempts=2)
    folded = fold([first], make_change(DELETE))
    if code == UNREADABLE:
        merged = only(folded)
        assert (merged.action, merged.changes, merged.status) == (DELETE, None, Status.PENDING)
        assert merged.attempts == 2
    else:
        assert folded.waiting == ()


def test_a_deletion_goes_on_asking_about_what_the_server_has() -> None:
    made = make_waiting(CREATE, changed(name=(None, "a")))
    conflict = Conflict(base={}, server={"name": "b"}, client={"name": "a"}, server_version=7)
    first = replace(made, status=Status.ERROR, code="Conflict", message="No.", conflict=conflict)
    merged = only(fold([first], make_change(DELETE)))
    assert (merged.action, merged.status) == (DELETE, Status.ERROR)
    assert merged.conflict == replace(conflict, client={})


def test_what_was_deleted_and_made_again_is_an_update_of_everything() -> None:
    merged = only(fold([make_waiting(DELETE)], make_change(CREATE, changed(name=(None, "a")))))
    assert (merged.action, merged.changes) == (UPDATE, None)


def test_what_somebody_else_deleted_between_is_an_update_of_everything() -> None:
    first = make_waiting(UPDATE, changed(name=("a", "b")))
    merged = only(fold([first], make_change(CREATE, changed(name=(None, "a")))))
    assert (merged.action, merged.changes) == (UPDATE, None)


def test_what_was_made_twice_is_made_as_the_second_time() -> None:
    first = make_waiting(CREATE, changed(name=(None, "a"), city=(None, "Brno")))
    merged = only(fold([first], make_change(CREATE, changed(name=(None, "b")))))
    assert (merged.action, merged.changes) == (CREATE, changed(name=(None, "b")))


def test_a_pair_made_and_removed_is_set_aside() -> None:
    folded = fold([make_waiting(ASSOCIATE, {})], make_change(DISASSOCIATE))
    assert [item.message for item in folded.archived] == [MADE_AND_DELETED]


def test_a_pair_removed_and_made_again_is_set_aside() -> None:
    folded = fold([make_waiting(DISASSOCIATE)], make_change(ASSOCIATE, {}))
    assert [item.message for item in folded.archived] == [CANCELLED_OUT]


@pytest.mark.parametrize(("made", "gone"), [(CREATE, DELETE), (ASSOCIATE, DISASSOCIATE)])
def test_what_the_server_has_all_the_same_is_deleted(made: Action, gone: Action) -> None:
    merged = only(fold([make_waiting(made, {})], make_change(gone), is_linked=True))
    assert (merged.action, merged.changes, merged.status) == (gone, None, Status.PENDING)


@pytest.mark.parametrize(
    ("action", "later"), [(CREATE, DELETE), (CREATE, UPDATE), (UPDATE, UPDATE), (DELETE, CREATE)]
)
def test_it_queues_behind_one_being_attempted(action: Action, later: Action) -> None:
    attempted = make_waiting(action, changed(name=("a", "b")), attempts=1)
    change = make_change(later, changed(name=("b", "a")))
    assert fold([attempted], change) == Folded((attempted, change))


def test_it_folds_into_what_queues_behind() -> None:
    attempted = make_waiting(CREATE, changed(name=(None, "b")), attempts=1)
    behind = make_waiting(UPDATE, changed(name=("b", "c")), id=2)
    folded = fold([attempted, behind], make_change(UPDATE, changed(name=("c", "b"))))
    assert folded.waiting == (attempted,)
    assert [item.id for item in folded.archived] == [2]


@pytest.mark.parametrize(("action", "is_linked"), [(UPDATE, False), (CREATE, True)])
def test_what_is_put_back_behind_an_attempt_that_may_have_carried_it_waits(
    action: Action, is_linked: bool
) -> None:
    attempted = make_waiting(action, changed(name=("a", "b")), attempts=1)
    behind = make_waiting(UPDATE, changed(city=("Brno", "Wien"), phone=("1", "2")), id=2)
    back = make_change(UPDATE, changed(city=("Wien", "Brno")))
    folded = fold([attempted, behind], back, is_linked=is_linked)
    assert folded.waiting[0] == attempted
    assert folded.waiting[1].changes == changed(city=("Wien", "Brno"), phone=("1", "2"))


def test_what_is_put_back_behind_one_that_was_not_attempted_falls_out() -> None:
    first = make_waiting(UPDATE, changed(name=("a", "b")))
    behind = make_waiting(UPDATE, changed(city=("Brno", "Wien")), id=2)
    folded = fold([first, behind], make_change(UPDATE, changed(city=("Wien", "Brno"))))
    assert folded.waiting == (first,)


def test_one_that_waits_for_its_time_is_due_with_the_change() -> None:
    first = make_waiting(
        UPDATE, changed(name=("a", "b")), next_attempt=LATER, message="Waits for its parent."
    )
    merged = only(fold([first], make_change(UPDATE, changed(name=("b", "c")))))
    assert (merged.next_attempt, merged.message) == (None, "")


def test_one_in_error_is_pending_again_with_the_change_in_it() -> None:
    first = make_waiting(
        CREATE,
        changed(name=(None, "a")),
        status=Status.ERROR,
        attempts=3,
        code="0x80040237",
        message="A record with matching key values already exists.",
    )
    merged = only(fold([first], make_change(UPDATE, changed(name=("a", "b")))))
    assert (merged.status, merged.attempts, merged.code, merged.message) == (
        Status.PENDING,
        0,
        "",
        "",
    )
    assert merged.changes == changed(name=(None, "b"))


def test_what_was_made_in_error_and_deleted_is_set_aside() -> None:
    first = make_waiting(CREATE, changed(name=(None, "a")), status=Status.ERROR, code="1")
    (gone,) = fold([first], make_change(DELETE)).archived
    assert (gone.status, gone.code, gone.message) == (Status.ARCHIVED, "", MADE_AND_DELETED)


def make_asked(**more: object) -> Transaction:
    conflict = Conflict(
        base={"name": "a"}, server={"name": "s"}, client={"name": "b"}, server_version=8
    )
    return make_waiting(
        UPDATE,
        changed(name=("a", "b"), city=("Brno", "Wien")),
        status=Status.ERROR,
        attempts=1,
        code="Conflict",
        message="Changed on both sides.",
        conflict=conflict,
        choices={"name": Side.CLIENT},
        **more,
    )


def test_a_conflict_that_asks_goes_on_asking_with_the_new_values() -> None:
    merged = only(fold([make_asked()], make_change(UPDATE, changed(name=("b", "c")))))
    assert (merged.status, merged.code, merged.attempts) == (Status.ERROR, "Conflict", 1)
    assert merged.conflict == Conflict(
        base={"name": "a"}, server={"name": "s"}, client={"name": "c"}, server_version=8
    )
    assert (merged.choices, merged.version) == ({}, 9)


def test_a_conflict_that_asks_becomes_one_about_a_deletion() -> None:
    merged = only(fold([make_asked()], make_change(DELETE)))
    assert (merged.status, merged.action) == (Status.ERROR, DELETE)
    assert merged.conflict is not None
    assert (merged.conflict.client, merged.conflict.server) == ({}, {"name": "s"})


def test_a_conflict_of_which_nothing_is_left_is_delivered() -> None:
    merged = only(fold([make_asked()], make_change(UPDATE, changed(name=("b", "a")))))
    assert (merged.status, merged.conflict) == (Status.PENDING, None)
    assert merged.changes == changed(city=("Brno", "Wien"))


def test_a_conflict_is_set_aside_when_everything_is_back_as_it_was() -> None:
    back = changed(name=("b", "a"), city=("Wien", "Brno"))
    (gone,) = fold([make_asked()], make_change(UPDATE, back)).archived
    assert (gone.status, gone.conflict, gone.message) == (Status.ARCHIVED, None, CANCELLED_OUT)


def test_a_conflict_with_a_deletion_on_the_server_goes_on_asking() -> None:
    conflict = Conflict(base={}, server={}, client={"name": "b"}, server_version=0)
    asked = replace(make_asked(), conflict=conflict)
    merged = only(fold([asked], make_change(UPDATE, changed(city=("Wien", "Graz")))))
    assert merged.status is Status.ERROR
    assert merged.conflict == conflict


def test_a_conflict_keeps_what_is_known_of_an_unknown_change() -> None:
    merged = only(fold([make_asked()], make_change(UPDATE, None)))
    assert (merged.status, merged.changes) == (Status.ERROR, None)
    assert merged.conflict is not None
    assert merged.conflict.client == {"name": "b"}
