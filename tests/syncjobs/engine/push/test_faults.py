"""What breaks: lost answers, dead processes, a server that is down, records nobody takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from connections.connectors.memory import Fault
from connections.errors import Refused
from syncjobs.engine.transactions import Status, Transaction
from syncjobs.engine.values import Counts, Options
from tests.syncjobs.engine.memory_state import Crash
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways


def create(world: TwoWays) -> None:
    world.client.create("account", {"name": "New", "city": "Brno"})


def update(world: TwoWays) -> None:
    (first,) = world.rows("client")
    world.client.update("account", first, {"city": "Praha"})


def delete(world: TwoWays) -> None:
    (first,) = world.rows("client")
    world.client.delete("account", first)


def associate(world: TwoWays) -> None:
    (first,), (tag,) = world.rows("client"), world.rows("client", "tag")
    world.client.associate("accounttags", first, tag)


def disassociate(world: TwoWays) -> None:
    associate(world)
    world.push()
    (first,), (tag,) = world.rows("client"), world.rows("client", "tag")
    world.client.disassociate("accounttags", first, tag)


def loop(world: TwoWays) -> None:
    first, second = (world.client.create("account", {"name": name}) for name in "ab")
    world.client.update("account", first, {"parentaccountid": second})
    world.client.update("account", second, {"parentaccountid": first})


EDITS = [create, update, delete, associate, disassociate, loop]


def make_prepared(edit: Callable[[TwoWays], None]) -> TwoWays:
    world = make_two_ways()
    world.server.create("tag", {"name": "VIP"})
    make_both(world)
    edit(world)
    return world


def assert_equal(world: TwoWays) -> None:
    for entity in ("account", "tag"):
        assert world.rows("server", entity) == world.rows("client", entity)
    server, client = world.rows("server", "accounttag"), world.rows("client", "accounttag")
    assert {row[1:] for row in server.values()} == {row[1:] for row in client.values()}
    assert world.transactions(Status.PENDING, Status.ERROR, Status.ARCHIVED) == []


@pytest.mark.parametrize("edit", EDITS)
def test_a_lost_answer_is_recognised(edit: Callable[[TwoWays], None]) -> None:
    world = make_prepared(edit)
    world.server.faults.at_write(1, Fault.LOST_RESPONSE)
    world.push()
    (problem,) = world.reporter.problems
    assert "The connection was lost" in problem.message
    tried = [item.attempts for item in world.transactions(Status.PENDING)]
    assert tried == ([1, 0, 0] if edit is loop else [1])
    writes = world.writes()
    world.later(timedelta(hours=1))
    world.push()
    assert_equal(world)
    assert world.writes() == writes + (2 if edit is loop else 0)
    again = 2 if edit is associate else 1
    assert all(item.attempts <= again for item in world.transactions())


class Dying:
    """Kills the process at the n-th boundary of its memory."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, point: str) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


@pytest.mark.parametrize("edit", EDITS)
def test_it_may_die_anywhere(edit: Callable[[TwoWays], None]) -> None:
    for number in range(1, 60):
        world = make_prepared(edit)
        world.collect()
        writes = world.writes()
        world.state.before = Dying(number)
        try:
            world.deliver()
        except Crash:
            world.state.before = lambda point: None
            world.sync()
            assert_equal(world)
            assert world.writes() <= writes + 4
        else:
            assert number > 5
            return
    pytest.fail("It never came to its end.")


def test_a_server_that_is_down_leaves_it_pending() -> None:
    world = make_prepared(update)
    for expected in (15, 30, 60):
        world.server.faults.at_write(1, Fault.RETRY)
        world.push()
        item = world.transaction(Status.PENDING)
        assert item.next_attempt == world.now + timedelta(seconds=expected)
        assert (item.code, item.message) == ("429", "Too many requests.")
        writes = world.writes()
        assert world.push() == {}
        assert world.writes() == writes
        world.later(timedelta(seconds=expected))
    assert item.attempts == 3
    assert world.push() == {"account": Counts(pushed=1)}
    done = world.transaction()
    assert (done.code, done.message, done.next_attempt) == ("", "", None)


def test_a_server_that_says_when_is_obeyed() -> None:
    world = make_prepared(update)
    world.server.faults.at_write(1, Fault.RETRY)
    world.server.faults.after = 300.0
    world.push()
    assert world.transaction().next_attempt == world.now + timedelta(seconds=300)


def test_it_never_waits_longer_than_the_longest() -> None:
    world = make_prepared(update)
    world.options = Options(read_ahead=False, longest_retry=20.0)
    for _ in range(3):
        world.server.faults.at_write(1, Fault.RETRY)
        world.push()
        item = world.transaction()
        world.later(timedelta(seconds=20))
    assert item.next_attempt == world.now


def test_a_fault_that_passes_stops_the_rest() -> None:
    world = make_two_ways()
    world.options = Options(read_ahead=False, push_size=1)
    for number in range(3):
        world.client.create("account", {"name": str(number)})
    world.server.faults.at_write(2, Fault.RETRY)
    assert world.push()["account"].pushed == 1
    waiting = world.transactions(Status.PENDING)
    assert [item.attempts for item in waiting] == [1, 0]
    assert world.push()["account"].pushed == 1


def test_what_was_written_before_the_fault_is_not_written_again() -> None:
    world = make_prepared(update)
    create(world)
    world.server.faults.at_write(2, Fault.LOST_RESPONSE)
    world.push()
    writes = world.writes()
    world.later(timedelta(hours=1))
    world.push()
    assert world.writes() == writes
    assert_equal(world)


def test_a_refusal_ends_the_run_and_loses_nothing() -> None:
    world = make_prepared(update)
    world.server.faults.at_write(1, Fault.REFUSE)
    with pytest.raises(Refused):
        world.push()
    assert world.transaction().status is Status.PENDING
    world.push()
    assert_equal(world)


def test_changed_metadata_hold_back_one_entity() -> None:
    world = make_prepared(update)
    tag = world.client.create("tag", {"name": "new"})
    (first,) = world.rows("client")
    pair = world.client.associate("accounttags", first, tag)
    world.client.create("account", {"name": "other"})
    world.server.faults.at_write(1, Fault.METADATA)
    counts = world.push()
    assert counts["tag"] == Counts(pushed=1)
    assert world.reporter.problems[0].code == "MetadataChanged"
    messages = {item.client_id: item.message for item in world.transactions(Status.PENDING)}
    assert "An attribute is no longer there." in messages.values()
    assert pair not in messages
    world.push()
    assert_equal(world)


def by_record(world: TwoWays) -> dict[str, Transaction]:
    return {item.client_id: item for item in world.transactions()}


def test_a_rejected_record_blocks_only_what_depends_on_it() -> None:
    world = make_two_ways()
    bad = world.client.create("account", {"name": "bad"})
    child = world.client.create("account", {"name": "child"})
    world.client.update("account", child, {"parentaccountid": bad})
    grandchild = world.client.create("account", {"parentaccountid": child})
    tag = world.client.create("tag", {"name": "VIP"})
    pair = world.client.associate("accounttags", child, tag)
    good = world.client.create("account", {"name": "good"})
    world.server.faults.always_rejected = {bad}
    counts = world.push()
    assert counts["account"] == Counts(pushed=1, rejected=1)
    assert counts["tag"] == Counts(pushed=1)
    assert world.rows("server").keys() == {good}
    found = by_record(world)
    assert (found[bad].status, found[bad].code, found[bad].message) == (
        Status.ERROR,
        "rejected",
        "Not accepted.",
    )
    for item in (child, grandchild, pair):
        assert found[item].status is Status.PENDING
        assert found[item].message == (
            f"It waits for the create of account {bad}, which was not accepted: Not accepted."
        )
        assert found[item].attempts == 0
    (problem,) = world.reporter.problems
    assert (problem.entity, problem.record, problem.code) == ("account", bad, "rejected")


def test_what_waits_for_an_error_is_told_once() -> None:
    world = make_two_ways()
    bad = world.client.create("account", {"name": "bad"})
    world.server.faults.always_rejected = {bad}
    world.push()
    child = world.client.create("account", {"parentaccountid": bad})
    world.push()
    assert "which was not accepted: Not accepted." in by_record(world)[child].message
    writes = world.state.writes
    world.push()
    assert world.state.writes == writes


def test_what_waited_goes_when_the_error_is_mended() -> None:
    world = make_two_ways()
    bad = world.client.create("account", {"name": "bad"})
    child = world.client.create("account", {"parentaccountid": bad})
    world.server.faults.always_rejected = {bad}
    world.push()
    world.server.faults.always_rejected = set()
    world.client.update("account", bad, {"name": "good"})
    assert world.push()["account"] == Counts(pushed=2)
    assert by_record(world)[child].message == ""
    assert world.rows("server") == world.rows("client")


def test_a_child_that_was_not_deleted_keeps_its_parent() -> None:
    world = make_two_ways()
    (parent,) = make_both(world)
    child = world.server.create("account", {"parentaccountid": parent})
    world.sync()
    world.client.delete("account", parent)
    world.client.delete("account", child)
    world.server.faults.always_rejected = {child}
    world.push()
    assert world.rows("server").keys() == {parent, child}
    assert "It waits for the delete of account" in by_record(world)[parent].message


def test_a_record_that_keeps_changing_is_tried_again_later() -> None:
    world = make_prepared(update)
    for number in range(1, 9):
        world.server.faults.at_write(number, Fault.CONFLICT)
    world.push()
    item = world.transaction(Status.PENDING)
    assert item.message == "The record changed on the server again and again while it was written."
    assert item.next_attempt is not None
    assert world.reporter.problems == []


def test_only_the_version_moved() -> None:
    world = make_prepared(update)
    (first,) = world.rows("server")
    world.server.update("account", first, {"city": "Brno"})
    assert world.push() == {"account": Counts(pushed=1)}
    assert_equal(world)


def test_a_record_the_server_cannot_show_is_an_error() -> None:
    world = make_prepared(update)
    (first,) = world.rows("server")
    world.server.faults.unreadable = {first}
    assert world.push() == {"account": Counts(rejected=1)}
    assert world.transaction().message == (
        "On the server: The record holds a character that XML cannot carry."
    )
