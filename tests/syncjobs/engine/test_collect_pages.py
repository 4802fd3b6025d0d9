"""Pages of the client's log: each read once, under the lock, with patience between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connections.connectors.base import Edits
from connections.connectors.memory import MemoryConnector
from connections.errors import Refused, Retryable
from syncjobs.engine.collect import AS_CARRIED
from syncjobs.engine.transactions import Action, Changed, Status, Transaction
from tests.syncjobs.engine.memory_queue import MemoryQueue
from tests.syncjobs.engine.memory_state import MemoryState
from tests.syncjobs.engine.two_ways import collect_all, make_two_way, waiting
from tests.syncjobs.engine.world import CONNECTION, World, make_accounts

USER = {"domainname": "ann", "fullname": "Ann"}


class Log(MemoryConnector):
    """A client that tells from where its log was read, and fails where an error comes next."""

    def __init__(self, world: World, *errors: Exception | None) -> None:
        super().__init__(world.client, origin=CONNECTION)
        self.errors, self.read_from = list(errors), list[int]()

    def edits(self, names: object, since: int, *, limit: int = 5000) -> Edits:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.read_from.append(since)
        return super().edits(names, since, limit=limit)  # type: ignore[arg-type]


def make_edited(count: int) -> World:
    """A world whose client made accounts, two to a page of its log."""
    world = make_two_way()
    for number in range(count):
        world.client.create("account", {"name": f"Account {number}"})
    return world


def attempt(world: World) -> None:
    """Let what waits look like something that the server may have already."""
    save(world, [replace(item, attempts=1) for item in waiting(world)])


def save(world: World, transactions: Sequence[Transaction]) -> None:
    assert world.queue is not None
    with world.state.page():
        world.state.hold()
        world.queue.save(transactions)


def test_each_page_of_the_log_is_read_once() -> None:
    world = make_edited(6)
    log = Log(world)
    collect_all(world, client=log)
    assert log.read_from == [0, 2, 4]
    assert len(waiting(world)) == 6


def test_patience_begins_anew_after_each_page_that_was_carried() -> None:
    world = make_edited(4)
    busy = Retryable("Busy.")
    assert collect_all(world, client=Log(world, busy, busy, busy, None, busy, busy, busy)) == {}
    assert world.waits == [1, 2, 4, 1, 2, 4]
    assert len(waiting(world)) == 4


def test_patience_ends_where_nothing_is_carried() -> None:
    world = make_edited(4)
    failed = collect_all(world, client=Log(world, None, *[Retryable("Busy.", code="429")] * 5))
    assert set(failed.items()) == {(name, "Busy.") for name in world.entities}
    assert world.waits == [1, 2, 4, 8]
    assert [(item.entity, item.record, item.code) for item in world.reporter.problems] == [
        (name, "", "429") for name in world.entities
    ]
    assert len(waiting(world)) == 2, "the page before stays"


def test_a_problem_bears_the_other_sides_code_if_it_gave_one() -> None:
    world = make_two_way()
    collect_all(world, client=Log(world, Refused("Not for you.", code="0x80040220")))
    (problem,) = world.reporter.problems
    assert (problem.entity, problem.code) == ("", "0x80040220")
    assert problem.message == "Not for you."


class Locking(MemoryQueue):
    """A queue that tells which positions were looked at under its lock."""

    def __init__(self, state: MemoryState) -> None:
        super().__init__(state)
        self.looks: list[bool] = []

    def collected(self, entities: Sequence[int], *, hold: bool = False) -> Mapping[int, int]:
        assert not hold or self._state.saved.is_held, "a lock is of a page, after its lease"
        self.looks.append(hold)
        return super().collected(entities)


def test_positions_are_compared_under_the_lock() -> None:
    world = make_edited(1)
    world.queue = queue = Locking(world.state)
    collect_all(world)
    assert queue.looks == [False, True]


def test_an_error_that_is_corrected_is_pending_again_and_says_why() -> None:
    world = make_edited(2)
    collect_all(world)
    first, second = waiting(world)
    save(world, [replace(first, status=Status.ERROR), replace(second, status=Status.ERROR)])
    world.client.update("account", first.client_id, {"city": "Brno"})
    collect_all(world)
    assert world.queue is not None
    assert world.queue.saved.history[-1] == (
        first.id,
        Status.PENDING,
        "The record was changed again on the client.",
    )
    assert [item.status for item in waiting(world)] == [Status.PENDING, Status.ERROR]


def test_what_was_attempted_is_not_lost_where_the_record_is_saved_without_a_change() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    world.client.update("account", account, {"name": "Mine"})
    collect_all(world)
    attempt(world)
    world.client.update("account", account, {"name": "Account 0"})
    world.client.update("account", account, {})
    collect_all(world)
    sent, behind = waiting(world)
    assert (sent.changes, sent.attempts) == ({"name": Changed("Account 0", "Mine")}, 1)
    assert (behind.changes, behind.attempts) == ({"name": Changed("Mine", "Account 0")}, 0)
    assert behind.version == world.client.version


def make_user(world: World) -> str:
    """A user that both sides have."""
    user = world.server.create("systemuser", USER)
    world.sync()
    return user


def test_of_a_matched_record_that_is_back_the_known_change_alone_is_sent() -> None:
    world = make_two_way()
    user = make_user(world)
    world.client.delete("systemuser", user)
    collect_all(world)
    world.client.create("systemuser", USER, id=user)
    world.client.update("systemuser", user, {"fullname": "Anna"})
    collect_all(world)
    (only,) = waiting(world)
    assert (only.action, only.changes) == (Action.UPDATE, {"fullname": Changed("Ann", "Anna")})


def test_what_was_attempted_without_its_values_stays_as_it_was_sent() -> None:
    world = make_two_way()
    user = make_user(world)
    world.client.update("systemuser", user, {"fullname": "Anna"}, origin="neighbour")
    collect_all(world)
    attempt(world)
    world.client.delete("systemuser", user)
    world.client.create("systemuser", USER, id=user)
    collect_all(world)
    (only,) = waiting(world)
    assert (only.changes, only.attempts) == (None, 1)


def test_what_is_back_as_it_was_is_set_aside_with_its_record_whole() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    row = world.client.get("account", account)
    world.client.delete("account", account)
    collect_all(world)
    world.client.create("account", row, id=account)
    collect_all(world)
    assert world.queue is not None
    assert waiting(world) == []
    (aside,) = world.queue.transactions
    assert (aside.status, aside.message) == (Status.ARCHIVED, AS_CARRIED)
    assert aside.changes is not None
    assert aside.changes["name"] == Changed(None, "Account 0")
