"""Deletions beyond the limits, and empty answers, wait for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import pytest

from connections.connectors.memory import MemoryConnector
from connections.connectors.memory.organization import Stored
from organizations.schema import Entity
from syncjobs.engine.airbag import Alone, Holding, Limits, Sample, reason_to_wait, unbelieved
from syncjobs.engine.values import Counts, LinkState
from tests.syncjobs.engine.world import World, make_accounts, make_world

ACCOUNT = 1
"""The key of the one entity."""
LIMITS = Limits(most=6, floor=2, percent=25)


class Person(Alone):
    """Remembers what waits, and what was decided; one entity only."""

    def __init__(self) -> None:
        self.deleted = 0
        self.waits: Holding | None = None
        self.approves: set[str] = set()
        self.declines: set[str] = set()

    def limits(self) -> Limits:
        return LIMITS

    def recent(self, entity: int) -> int:
        return self.deleted if entity == ACCOUNT else 0

    def approved(self, entity: int) -> Collection[str]:
        return set(self.approves) if entity == ACCOUNT else ()

    def declined(self, entity: int) -> Collection[str]:
        return set(self.declines) if entity == ACCOUNT else ()

    def hold(self, entity: int, holding: Holding | None) -> None:
        assert entity == ACCOUNT
        self.waits = holding

    def carried_out(self, entity: int) -> None:
        assert entity == ACCOUNT
        self.approves.clear()


class Blind(MemoryConnector):
    """A server of which we may see nothing while `is_blind`."""

    is_blind = False

    def _table(self, name: str) -> dict[str, Stored]:
        return {} if Blind.is_blind else super()._table(name)


@pytest.fixture(autouse=True)
def _seeing() -> Iterator[None]:
    yield
    Blind.is_blind = False


def make_guarded() -> tuple[World, Person]:
    person = Person()
    world = make_world(
        sync_deletion=True, entities=("account",), guard=person, reading=Blind, page_size=3
    )
    return world, person


def delete(world: World, ids: list[str]) -> None:
    for account in ids:
        world.server.delete("account", account)


@pytest.mark.parametrize(
    ("count", "recent", "linked", "word"),
    [
        (2, 0, 2, ""),
        (3, 0, 12, ""),
        (3, 0, 11, "more than 25 %"),
        (1, 2, 9, "more than 25 %"),
        (1, 2, 10, ""),
        (6, 0, 1000, ""),
        (7, 0, 1000, "more than 6 in a day"),
        (1, 6, 1000, "after 6 in the last 24 hours"),
    ],
)
def test_it_knows_when_deletions_wait(count: int, recent: int, linked: int, word: str) -> None:
    told = reason_to_wait("account", count, recent, linked, LIMITS)
    assert (word in told) if word else (told == "")


def test_it_names_the_usual_limits() -> None:
    assert Limits() == Limits(most=500, floor=20, percent=5)
    assert not reason_to_wait("account", 500, 0, 100_000, Limits())
    assert reason_to_wait("account", 501, 0, 100_000, Limits()) == (
        "501 of 100,000 records of 'account' are to be deleted: more than 500 in a day wait for a "
        "decision."
    )


def test_it_says_how_many_and_of_how_many() -> None:
    assert reason_to_wait("account", 1_200, 0, 9_600, Limits(most=2_000)) == (
        "1,200 of 9,600 records of 'account' are to be deleted: more than 5 % of its records wait "
        "for a decision."
    )
    assert reason_to_wait("account", 30, 1_470, 20_000, Limits(most=1_000)) == (
        "30 of 20,000 records of 'account' are to be deleted, after 1,470 in the last 24 hours: "
        "more than 1,000 in a day wait for a decision."
    )
    assert reason_to_wait("account", 30, 1, 40, Limits()) == (
        "30 of 40 records of 'account' are to be deleted, after 1 in the last 24 hours: more than "
        "5 % of its records wait for a decision."
    )


def test_it_says_why_an_empty_answer_is_not_believed() -> None:
    assert unbelieved("account", 12_345) == (
        "The server named no record of 'account' at all, but 12,345 are linked. An empty answer "
        "is not believed: it can come from a lost permission, too."
    )


def test_too_many_deletions_wait_while_the_rest_goes_on() -> None:
    world, person = make_guarded()
    ids = make_accounts(world, 10)
    world.sync()
    delete(world, ids[:3])
    world.server.update("account", ids[5], {"name": "New"})
    assert world.counts() == Counts(read=1, updated=1, held=3)
    assert len(world.rows("client")) == 10
    assert person.waits is not None
    assert set(person.waits.server_ids) == set(ids[:3])
    assert person.waits.reason.startswith("3 of 10 records of 'account' are to be deleted:")
    assert person.waits.linked == 10
    assert_idle(world)


def test_a_sample_has_names_and_reasons() -> None:
    world, person = make_guarded()
    world.client.entities = {**world.client.entities, "account": named(world)}
    ids = make_accounts(world, 10)
    world.sync()
    delete(world, ids[:3])
    world.sync()
    assert person.waits is not None
    assert sorted(person.waits.sample) == sorted(
        Sample(item, f"Account {number}", LinkState.SERVER_DELETED)
        for number, item in enumerate(ids[:3])
    )


def named(world: World) -> Entity:
    return replace(world.client.entity("account"), primary_name="name")


def test_what_waits_is_asked_for_again_with_what_came_since() -> None:
    world, person = make_guarded()
    ids = make_accounts(world, 10)
    world.sync()
    delete(world, ids[:3])
    world.sync()
    delete(world, ids[3:4])
    assert world.counts() == Counts(held=4)
    assert person.waits is not None
    assert len(person.waits.server_ids) == 4


def test_what_is_back_waits_no_more() -> None:
    world, person = make_guarded()
    ids = make_accounts(world, 10)
    world.sync()
    delete(world, ids[:3])
    world.sync()
    for account in ids[:3]:
        world.server.create("account", {"name": "Back"}, id=account)
    assert world.counts() == Counts(read=3, updated=3)
    assert person.waits is None


def test_exactly_what_was_approved_is_deleted() -> None:
    world, person = make_guarded()
    ids = make_accounts(world, 20)
    world.sync()
    delete(world, ids[:7])
    world.sync()
    assert person.waits is not None
    person.approves = set(person.waits.server_ids)
    world.server.create("account", {"name": "Back"}, id=ids[0])
    delete(world, ids[7:10])
    assert world.counts() == Counts(read=1, updated=1, deleted=9), "three more are few enough"
    assert set(world.rows("client")) == {ids[0], *ids[10:]}
    assert person.approves == set()
    assert_idle(world)


def test_beside_what_was_approved_others_wait() -> None:
    world, person = make_guarded()
    ids = make_accounts(world, 20)
    world.sync()
    delete(world, ids[:7])
    world.sync()
    person.approves = set(ids[:7])
    delete(world, ids[7:14])
    assert world.counts() == Counts(deleted=7, held=7)
    assert person.waits is not None
    assert set(person.waits.server_ids) == set(ids[7:14])


def test_what_was_declined_stays_and_is_not_asked_for_again() -> None:
    world, person = make_guarded()
    ids = make_accounts(world, 10)
    world.sync()
    delete(world, ids[:3])
    world.sync()
    person.declines = set(ids[:3])
    assert world.counts() == Counts()
    assert person.waits is None
    assert len(world.rows("client")) == 10
    delete(world, ids[3:4])
    assert world.counts() == Counts(deleted=1)
    assert_idle(world)


def test_deletions_of_the_last_day_count_too() -> None:
    world, person = make_guarded()
    ids = make_accounts(world, 9)
    world.sync()
    person.deleted = 2
    delete(world, ids[:1])
    assert world.counts() == Counts(held=1)
    person.deleted = 0
    assert world.counts() == Counts(deleted=1)


@pytest.mark.parametrize("count", [1, 2, 10])
def test_an_empty_answer_is_never_believed(count: int) -> None:
    world, person = make_guarded()
    ids = make_accounts(world, count)
    world.sync()
    Blind.is_blind = True
    assert world.counts() == Counts(held=count)
    assert person.waits is not None
    assert person.waits.reason == unbelieved("account", count)
    assert sorted(person.waits.server_ids) == sorted(ids)
    links = world.state.saved.links[1].values()
    assert {link.state for link in links} == {LinkState.CURRENT}, "nothing is marked either"
    assert_idle(world)
    Blind.is_blind = False
    assert world.counts() == Counts()
    assert person.waits is None


def test_an_empty_answer_that_was_declined_is_not_asked_for_again() -> None:
    world, person = make_guarded()
    person.declines = set(make_accounts(world, 3))
    world.sync()
    Blind.is_blind = True
    assert world.counts() == Counts()
    assert len(world.rows("client")) == 3


def test_a_last_record_whose_deletion_the_feed_told_is_deleted() -> None:
    world, _ = make_guarded()
    only = make_accounts(world, 1)
    world.sync()
    delete(world, only)
    assert world.counts() == Counts(deleted=1)


def test_a_dry_run_predicts_what_will_wait_and_asks_nobody() -> None:
    world, person = make_guarded()
    ids = make_accounts(world, 10)
    world.sync()
    delete(world, ids[:3])
    predicted = world.sync(dry_run=True)
    assert person.waits is None
    assert predicted["account"].counts == Counts(held=3)
    assert world.sync() == predicted
    person.approves = set(ids[:3])
    predicted = world.sync(dry_run=True)
    assert person.approves
    assert predicted["account"].counts == Counts(deleted=3)
    assert world.sync() == predicted


def test_without_a_guard_the_usual_limits_hold() -> None:
    world = make_world(sync_deletion=True, entities=("account",), page_size=10)
    ids = make_accounts(world, 30)
    world.sync()
    delete(world, ids[:20])
    assert world.counts() == Counts(deleted=20)
    more = make_accounts(world, 20)
    world.sync()
    delete(world, [*ids[20:], *more[:11]])
    assert world.counts() == Counts(held=21)
    assert len(world.rows("client")) == 30


def assert_idle(world: World) -> None:
    before = (world.client.version, world.state.writes)
    world.sync()
    assert (world.client.version, world.state.writes) == before
