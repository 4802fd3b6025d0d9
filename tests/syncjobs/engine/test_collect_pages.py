"""Pages of the client's log: each read once, under the lock, with patience between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connections.connectors.base import Edits
from connections.connectors.memory import MemoryConnector
from connections.errors import Refused, Retryable
from organizations.errors import NotFound
from organizations.records import Page
from organizations.schema import Attribute, Entity
from syncjobs.engine.collect import AS_CARRIED, FAR
from syncjobs.engine.transactions import Action, Changed, Status, Transaction
from syncjobs.engine.values import LinkRow, LinkState, Options
from tests.syncjobs.engine.memory_queue import MemoryQueue
from tests.syncjobs.engine.memory_state import MemoryState
from tests.syncjobs.engine.two_ways import collect_all, make_two_way, waiting
from tests.syncjobs.engine.world import CONNECTION, World, make_accounts

USER = {"domainname": "ann", "fullname": "Ann"}


class Log(MemoryConnector):
    """A client that tells what it was asked for, and fails where an error comes next."""

    def __init__(self, world: World, *errors: Exception | None) -> None:
        super().__init__(world.client, origin=CONNECTION)
        self.errors, self.read_from, self.fetched = list(errors), list[int](), list[str]()

    def edits(self, names: object, since: int, *, limit: int = 5000) -> Edits:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.read_from.append(since)
        return super().edits(names, since, limit=limit)  # type: ignore[arg-type]

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        self.fetched += [entity.name, *ids]
        return super().fetch(entity, attributes, ids)


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


def test_a_page_is_asked_for_what_is_linked_alone() -> None:
    world = make_two_way()
    accounts, tag = make_accounts(world, 2), world.server.create("tag", {"name": "VIP"})
    world.server.associate("accounttags", accounts[0], tag)
    world.sync()
    world.client.create("account", {"name": "New"})
    world.client.update("account", accounts[1], {"name": "Mine"})
    world.client.associate("accounttags", accounts[1], tag)
    world.client.disassociate("accounttags", accounts[0], tag)
    log = Log(world)
    collect_all(world, client=log)
    assert log.fetched == ["account", accounts[1]]


def test_what_an_entity_collected_is_not_collected_again_for_one_that_lags() -> None:
    world = make_two_way()
    collect_all(world)
    everything, world.entities = world.entities, ("tag",)
    account = world.client.create("account", {"name": "Meanwhile"})
    tag = world.client.create("tag", {"name": "x"})
    collect_all(world)
    save(world, [replace(item, status=Status.PROCESSED) for item in waiting(world)])
    world.entities = everything
    collect_all(world)
    assert world.queue is not None
    assert [item.client_id for item in waiting(world)] == [account]
    assert {item.client_id for item in world.queue.transactions} == {account, tag}


def test_an_entity_that_lags_takes_no_position_back() -> None:
    world = make_two_way()
    collect_all(world)
    everything, world.entities = world.entities, ("tag",)
    for _ in range(3):
        world.client.create("account", {"name": "Meanwhile"})
    world.client.create("tag", {"name": "x"})
    collect_all(world)
    world.entities = everything
    assert collect_all(world, client=Log(world, None, *[Retryable("Busy.")] * 5))
    assert world.queue is not None
    collected = world.queue.saved.collected
    assert {name: collected[world.task(name).key] for name in ("account", "tag")} == {
        "account": 2,
        "tag": 4,
    }


def test_a_position_is_far_by_what_came_since_it_was_saved() -> None:
    world = make_two_way()
    collect_all(world)
    for more, saved in ((FAR + 1, FAR + 1), (FAR, FAR + 1), (1, 2 * FAR + 2)):
        world.client.version += more
        collect_all(world)
        assert world.queue is not None
        assert set(world.queue.saved.collected.values()) == {saved}


def test_transactions_are_put_in_in_the_order_of_their_changes() -> None:
    world = make_two_way()
    made = [world.client.create(name, {}) for name in ("account", "tag", "account", "tag")]
    collect_all(world, options=Options(page_size=10))
    assert [item.id for item in waiting(world)] == [1, 2, 3, 4]
    assert [item.client_id for item in waiting(world)] == made


def test_all_that_is_changed_again_in_a_page_is_saved() -> None:
    world = make_edited(2)
    collect_all(world)
    for item in waiting(world):
        world.client.update("account", item.client_id, {"city": "Brno"})
    collect_all(world)
    assert [item.changes["city"] for item in waiting(world) if item.changes] == [
        Changed(None, "Brno"),
        Changed(None, "Brno"),
    ]


def test_all_that_comes_to_nothing_in_a_page_is_set_aside() -> None:
    world = make_edited(3)
    collect_all(world)
    for item in waiting(world)[:2]:
        world.client.delete("account", item.client_id)
    collect_all(world)
    assert world.queue is not None
    left = [item.status for item in world.queue.transactions]
    assert left == [Status.ARCHIVED, Status.ARCHIVED, Status.PENDING]


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


def test_a_problem_without_a_code_bears_the_name_of_what_happened() -> None:
    world = make_two_way(entities=("account",))
    failed = collect_all(world, client=Log(world, NotFound("entity", "account")))
    (problem,) = world.reporter.problems
    assert (problem.entity, problem.code) == ("account", "NotFound")
    assert failed == {"account": problem.message} == {"account": "There is no entity 'account'."}


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


def link(world: World, account: str) -> LinkRow:
    key = world.task("account").key
    return world.state.links_by_client(key, [account])[account]


def test_a_link_does_not_follow_a_change_that_waits() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    before = link(world, account)
    world.client.update("account", account, {"name": "Mine"})
    collect_all(world)
    assert link(world, account) == before


def test_a_link_follows_the_last_of_many_saves_without_a_change() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    for _ in range(3):
        world.client.update("account", account, {})
    collect_all(world, options=Options(page_size=10))
    assert waiting(world) == []
    assert link(world, account).client_version == world.client.stored("account", account).version


def let_server_have(world: World, account: str, name: str) -> None:
    """Let the server come to the same value by itself, and a run without delivery carry it."""
    world.server.update("account", account, {"name": name})
    queue, world.queue = world.queue, None
    world.sync()
    world.queue = queue


def test_what_the_server_has_by_now_is_set_aside_when_it_is_saved_again() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    world.client.update("account", account, {"name": "Mine"})
    collect_all(world)
    let_server_have(world, account, "Mine")
    world.client.update("account", account, {})
    collect_all(world)
    assert world.queue is not None
    assert waiting(world) == []
    assert [why for _, _, why in world.queue.saved.history] == [AS_CARRIED]


def test_what_the_server_has_by_now_is_delivered_if_it_was_attempted() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    world.client.update("account", account, {"name": "Mine"})
    collect_all(world)
    attempt(world)
    let_server_have(world, account, "Mine")
    world.client.update("account", account, {})
    collect_all(world)
    (only,) = waiting(world)
    assert (only.attempts, only.version) == (1, world.client.version)


def test_a_change_of_a_record_that_left_the_filter_waits_though_it_is_back_as_it_was() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    links = world.state.saved.links[world.task("account").key]
    links[account] = links[account]._replace(state=LinkState.LEFT_FILTER)
    for name in ("Mine", "Account 0"):
        world.client.update("account", account, {"name": name}, origin="neighbour")
        collect_all(world)
    (only,) = waiting(world)
    assert (only.action, only.changes) == (Action.UPDATE, None)


def test_what_was_attempted_is_not_lost_where_the_record_is_made_again_as_it_was() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    row = world.client.get("account", account)
    world.client.update("account", account, {"name": "Mine"})
    collect_all(world)
    attempt(world)
    world.client.delete("account", account)
    world.client.create("account", row, id=account)
    collect_all(world)
    sent, behind = waiting(world)
    assert (sent.changes, sent.attempts) == ({"name": Changed("Account 0", "Mine")}, 1)
    assert behind.action is Action.UPDATE
    assert behind.changes is not None
    assert behind.changes["name"] == Changed(None, "Account 0")
