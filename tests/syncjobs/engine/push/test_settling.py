"""What a delivery came to, and that it is saved at once or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from connections.errors import Retryable
from organizations.records import Action
from syncjobs.engine.plan import ClientRecord
from syncjobs.engine.push.cases import Settle
from syncjobs.engine.push.settling import Results
from syncjobs.engine.transactions import Action as Queued
from syncjobs.engine.transactions import Changed, Conflict, Status, Transaction
from syncjobs.engine.values import Counts, Images, Problem, Side
from syncjobs.errors import LostLease
from tests.syncjobs.engine.memory_state import Crash
from tests.syncjobs.engine.push.settled import KEY, RENAMED, Settling, make_link

CONFLICT = Conflict(base={}, server={"name": "Theirs"}, client={"name": "New"}, server_version=7)
LOST = {"name": Changed("New", "Theirs")}


def settle(settling: Settling, status: Status, **more: object) -> Transaction:
    return settling.results.settle(
        settling.case,
        Settle(status=status, **more),  # type: ignore[arg-type]
    )


def test_an_attempt_is_noted_before_it_is_made() -> None:
    settling = Settling(attempts=1)
    case = settling.results.attempted(settling.case, settling.send())
    (saved,) = settling.save()
    assert saved == case.transaction == replace(settling.case.transaction, attempts=2)
    assert (settling.world.history(), settling.results.counts) == ([], Counts())


def test_an_attempt_notes_what_it_is_about_to_replace() -> None:
    settling = Settling()
    settling.results.attempted(settling.case, settling.send(lost=LOST))
    (saved,) = settling.save()
    assert saved.conflict == Conflict(
        base={}, server={"name": "Theirs"}, client={"name": "New"}, server_version=3
    )


@pytest.mark.parametrize(("choices", "kept"), [({"name": Side.CLIENT}, CONFLICT), ({}, None)])
def test_an_attempt_keeps_the_conflict_that_a_person_decided(
    choices: Mapping[str, Side], kept: Conflict | None
) -> None:
    settling = Settling(conflict=CONFLICT, choices=choices)
    settling.results.attempted(settling.case, settling.send())
    (saved,) = settling.save()
    assert (saved.conflict, saved.choices) == (kept, choices)


def test_what_is_left_out_becomes_changes_that_follow() -> None:
    changes = {**RENAMED, "parentaccountid": Changed("x", "c"), "ownerid": Changed(None, None)}
    settling = Settling(Queued.CREATE, changes, message="It waited.", code="waits", attempts=2)
    late = (frozenset({"parentaccountid", "revenue"}), frozenset({"ownerid"}))
    settling.case = replace(
        settling.case, client=ClientRecord(5, "", settling.row(revenue="1.50", city="not asked"))
    )
    settling.results.attempted(settling.case, settling.send(Action.CREATE, late=late))
    first, second, third = settling.save()
    assert (first.changes, first.attempts) == (RENAMED, 3)
    assert second.changes == {
        "parentaccountid": Changed(None, "c"),
        "revenue": Changed(None, "1.50"),
    }
    assert third.changes == {}
    assert {(item.action, item.status, item.attempts) for item in (second, third)} == {
        (Queued.UPDATE, Status.PENDING, 0)
    }
    assert {(item.code, item.message, item.version) for item in (second, third)} == {("", "", 5)}


def test_of_unknown_columns_all_that_was_sent_is_kept_without_what_follows() -> None:
    settling = Settling(Queued.CREATE, None)
    row = settling.row(name="New", parentaccountid="c")
    settling.case = replace(settling.case, client=ClientRecord(5, "", row))
    send = settling.send(Action.CREATE, late=(frozenset({"parentaccountid"}),))
    settling.results.attempted(settling.case, send)
    first, second = settling.save()
    assert first.changes == {"name": Changed(None, "New")}
    assert second.changes == {"parentaccountid": Changed(None, "c")}


def test_a_decision_that_needs_no_write_is_taken() -> None:
    settling = Settling(code="old", message="old", choices={"name": Side.CLIENT}, conflict=CONFLICT)
    link = make_link(version=9)
    given = settle(settling, Status.PROCESSED, why="Alike.", link=link)
    (saved,) = settling.save()
    assert saved == given
    assert (saved.status, saved.code, saved.message) == (Status.PROCESSED, "", "")
    assert (saved.conflict, saved.choices, saved.next_attempt) == (None, {}, None)
    assert saved.changes == RENAMED
    assert settling.links() == {"s": link}
    assert settling.world.history() == ["Alike."]
    assert settling.world.reporter.counts == {"account": Counts(pushed=1)}
    assert settling.world.reporter.problems == []


@pytest.mark.parametrize(
    ("is_conflict", "counts"), [(False, Counts(rejected=1)), (True, Counts(conflicts=1))]
)
def test_an_error_is_reported(is_conflict: bool, counts: Counts) -> None:
    settling = Settling()
    settle(settling, Status.ERROR, code="0x1", message="No.", is_conflict=is_conflict)
    (saved,) = settling.save()
    assert (saved.status, saved.code, saved.message) == (Status.ERROR, "0x1", "No.")
    assert settling.world.history() == ["No."]
    assert settling.world.reporter.counts == {"account": counts}
    (problem,) = settling.world.reporter.problems
    assert problem == Problem(entity="account", record="c", code="0x1", message="No.")


def test_a_change_that_is_set_aside_counts_as_a_conflict_only() -> None:
    settling = Settling()
    settle(settling, Status.ARCHIVED, why="The server wins.", is_conflict=True, reads_again=True)
    (saved,) = settling.save()
    assert saved.status is Status.ARCHIVED
    assert settling.world.reporter.counts == {"account": Counts(conflicts=1)}
    assert settling.world.reporter.problems == []
    assert settling.world.state.left_behind(KEY) == {"s"}


@pytest.mark.parametrize(("code", "kept"), [("0x1", "0x1"), ("", "rejected")])
def test_a_refusal_has_a_code(code: str, kept: str) -> None:
    settling = Settling()
    settling.results.reject(settling.case, code, "No.")
    (saved,) = settling.save()
    assert (saved.status, saved.code, saved.message) == (Status.ERROR, kept, "No.")


@pytest.mark.parametrize(
    ("attempts", "choices", "lost"),
    [
        (1, {}, {"name": Changed("New", "Theirs")}),
        (1, {"name": Side.CLIENT}, {"name": Changed("New", "Theirs")}),
        (1, {"name": Side.SERVER}, None),
        (0, {}, None),
    ],
)
def test_what_an_attempt_without_an_answer_replaced_is_kept(
    attempts: int, choices: Mapping[str, Side], lost: Mapping[str, Changed] | None
) -> None:
    settling = Settling(conflict=CONFLICT, attempts=attempts, choices=choices, actor="eve")
    settle(settling, Status.PROCESSED, why="It was delivered before.")
    _, *kept = settling.save()
    assert [item.changes for item in kept] == ([lost] if lost else [])
    for item in kept:
        assert (item.status, item.code, item.action) == (Status.ARCHIVED, "Lost", Queued.UPDATE)
        assert (item.actor, item.attempts, item.conflict, item.choices) == ("", 0, None, {})
        assert item.message == (
            "The server's values, which the client's replaced. Set to Pending, they are written "
            "back."
        )


@pytest.mark.parametrize(
    ("action", "status", "told"),
    [
        (Queued.UPDATE, Status.ERROR, {"name": Changed(None, "New")}),
        (Queued.UPDATE, Status.ARCHIVED, {"name": Changed("Theirs", "New")}),
        (Queued.DELETE, Status.ARCHIVED, None),
    ],
)
def test_a_conflict_of_unknown_columns_tells_what_the_client_has(
    action: Queued, status: Status, told: Mapping[str, Changed] | None
) -> None:
    settling = Settling(action, None)
    settle(settling, status, conflict=CONFLICT, is_conflict=True)
    (saved,) = settling.save()
    assert (saved.changes, saved.conflict) == (told, CONFLICT)


@pytest.mark.parametrize(("client_version", "is_gone"), [(2, True), (5, True), (6, False)])
@pytest.mark.parametrize("is_written", [False, True])
def test_the_link_of_a_deleted_record_goes_unless_the_client_has_it_again(
    client_version: int, is_gone: bool, is_written: bool
) -> None:
    settling = Settling(Queued.DELETE, None)
    link = make_link(client_version=client_version)
    settling.case = replace(settling.case, link=link)
    if is_written:
        settling.results.deliver(settling.case, settling.send(Action.DELETE), None)
    else:
        settle(settling, Status.PROCESSED, drops=True)
    settling.save()
    assert (settling.links() == {}) is is_gone


def test_a_record_that_has_another_id_now_has_one_link() -> None:
    settling = Settling()
    settle(settling, Status.PROCESSED, link=make_link("t"))
    settling.save()
    assert settling.links() == {"t": make_link("t")}


def test_a_write_that_was_carried_out_is_processed() -> None:
    settling = Settling(code="old", message="old", choices={"name": Side.CLIENT})
    link = make_link(version=9)
    settling.results.deliver(settling.case, settling.send(why="The client wins."), link)
    (saved,) = settling.save()
    assert (saved.status, saved.code, saved.message) == (Status.PROCESSED, "", "")
    assert (saved.choices, saved.next_attempt) == ({}, None)
    assert (settling.links(), settling.world.history()) == ({"s": link}, ["The client wins."])
    assert settling.world.reporter.counts == {"account": Counts(pushed=1)}


def test_a_write_that_won_keeps_what_lost() -> None:
    settling = Settling()
    settling.results.deliver(
        settling.case, settling.send(is_conflict=True, lost=LOST), make_link(version=9)
    )
    saved, lost = settling.save()
    assert saved.status is Status.PROCESSED
    assert (lost.status, lost.changes, lost.action) == (Status.ARCHIVED, LOST, Queued.UPDATE)
    assert settling.world.reporter.counts == {"account": Counts(pushed=1, conflicts=1)}


def test_a_deletion_that_won_keeps_the_whole_record_to_be_made_again() -> None:
    settling = Settling(Queued.DELETE, None)
    settling.results.deliver(settling.case, settling.send(Action.DELETE, lost=LOST), None)
    _, lost = settling.save()
    assert (lost.action, lost.changes, lost.status) == (Queued.CREATE, LOST, Status.ARCHIVED)
    assert settling.links() == {}


def test_a_write_that_something_follows_says_so() -> None:
    settling = Settling(Queued.CREATE)
    send = settling.send(Action.CREATE, late=(frozenset({"parentaccountid"}),))
    settling.results.deliver(settling.case, send, make_link())
    settling.save()
    (why,) = settling.world.history()
    assert why.startswith("Its record was made; what names records of a loop")


def test_what_is_left_of_a_part_that_went_waits_for_a_person() -> None:
    settling = Settling()
    send = settling.send(
        asked=frozenset({"name"}), conflict=CONFLICT, why="Who wins?", is_conflict=True
    )
    settling.results.deliver(settling.case, send, make_link(version=9))
    (saved,) = settling.save()
    assert (saved.status, saved.code, saved.message) == (Status.ERROR, "Conflict", "Who wins?")
    assert saved.changes == {"name": RENAMED["name"]}
    assert saved.conflict == replace(CONFLICT, server_version=9)
    assert settling.links() == {"s": make_link()}
    (problem,) = settling.world.reporter.problems
    assert (problem.record, problem.code) == ("c", "Conflict")


@pytest.mark.parametrize(("code", "kept"), [("503", "503"), ("", "Retryable")])
def test_it_is_tried_again_later(code: str, kept: str) -> None:
    settling = Settling()
    error = Retryable("Busy.", code=code, after=100.0)
    settling.results.postpone(settling.case.transaction, error, 4)
    (saved,) = settling.save()
    assert (saved.status, saved.code, saved.message) == (Status.PENDING, kept, "Busy.")
    assert saved.attempts == 4
    assert saved.next_attempt == settling.world.now + timedelta(seconds=120)


def test_the_time_that_was_asked_for_is_waited() -> None:
    settling = Settling()
    settling.results.postpone(settling.case.transaction, Retryable("Busy.", after=100.0), 1)
    (saved,) = settling.save()
    assert saved.next_attempt == settling.world.now + timedelta(seconds=100)


def test_what_waits_is_told_once() -> None:
    settling = Settling()
    settling.results.wait(settling.case.transaction, "It waits.")
    (saved,) = settling.save()
    assert (saved.status, saved.code, saved.message) == (Status.PENDING, "waits", "It waits.")
    writes = settling.world.state.writes
    results = Results(settling.results.delivery, settling.results.ends)
    results.wait(saved, "It waits.")
    results.save()
    assert settling.world.state.writes == writes


def test_it_remembers_what_the_server_had() -> None:
    settling = Settling()
    before = settling.row(name="Theirs")
    settling.results.remember(Action.UPDATE, [], [], [])
    settling.results.remember(Action.UPDATE, ["s"], [9], [before])
    settle(settling, Status.PROCESSED)
    settling.save()
    assert settling.world.state.images == [
        (
            KEY,
            Images(
                side=Side.SERVER,
                action=Action.UPDATE,
                ids=["s"],
                versions=[9],
                columns=settling.case.ends.layout.columns,
                before=[before],
            ),
        )
    ]


def test_nothing_opens_no_page() -> None:
    settling = Settling()
    points: list[str] = []
    settling.world.state.before = points.append
    settling.save()
    assert points == []


def fill(settling: Settling) -> None:
    """Come to a bit of everything."""
    settling.case = replace(settling.case, link=make_link())
    settle(settling, Status.PROCESSED, link=make_link("t"), reads_again=True)
    settling.results.deliver(settling.case, settling.send(lost=LOST), make_link("t"))
    settling.results.remember(Action.UPDATE, ["s"], [9], [settling.row()])


POINTS = ["page", "hold", "drop", "links", "images", "leave behind", "transactions", "commit"]


def test_it_saves_everything_in_one_page() -> None:
    settling, points = Settling(), list[str]()
    fill(settling)
    settling.world.state.before = points.append
    settling.save()
    assert list(dict.fromkeys(points)) == [*POINTS, "after commit"]
    assert points.count("page") == 1


@pytest.mark.parametrize("point", POINTS)
def test_it_saves_everything_or_nothing(point: str) -> None:
    settling = Settling()
    fill(settling)
    before = settling.world.transactions()

    def crash(at: str) -> None:
        if at == point:
            raise Crash

    settling.world.state.before = crash
    with pytest.raises(Crash):
        settling.results.save()
    assert settling.world.transactions() == before
    assert (settling.links(), settling.world.history()) == ({"s": make_link()}, [])
    assert settling.world.state.images == []
    assert settling.world.state.left_behind(KEY) == set()


def test_who_lost_the_run_saves_nothing() -> None:
    settling = Settling()
    fill(settling)
    before = settling.world.transactions()
    settling.world.state.lost = True
    with pytest.raises(LostLease):
        settling.results.save()
    assert (settling.world.transactions(), settling.links()) == (before, {"s": make_link()})
    assert settling.world.reporter.counts == {}
