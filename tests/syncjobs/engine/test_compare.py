"""What no feed tells is found by comparing ids, and only what is proved is marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from connections.connectors.memory import MemoryConnector
from connections.connectors.memory.organization import Stored
from connections.errors import Retryable
from organizations.query.nodes import Link, Query
from organizations.schema import Entity
from syncjobs.engine.values import Counts, LinkState
from tests.syncjobs.engine.world import World, make_accounts, make_world


class Lists(MemoryConnector):
    """A server that counts its lists of ids, and can hide records or break a list off."""

    asked = 0
    hidden: frozenset[str] = frozenset()
    breaks: list[Exception | None] = []
    """What happens after the first page of each list to come; None: it just ends."""

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        Lists.asked += 1
        pages = super().ids(entity, query)
        if not Lists.breaks:
            yield from pages
            return
        error = Lists.breaks.pop(0)
        yield from (page for page, _ in zip(pages, range(1), strict=False))
        if error is not None:
            raise error

    def _table(self, name: str) -> dict[str, Stored]:
        table = super()._table(name)
        return {item: stored for item, stored in table.items() if item not in Lists.hidden}


class TellsAll(Lists):
    """A server whose feed tells everything."""

    tells_all = True


@pytest.fixture(autouse=True)
def _seen() -> Iterator[None]:
    yield
    Lists.asked, Lists.hidden, Lists.breaks = 0, frozenset(), []


def make_listed(**more: object) -> World:
    options = {"sync_deletion": True, "reading": Lists, "entities": ("account",)}
    return make_world(**(options | more))  # type: ignore[arg-type]


def state(world: World, record: str) -> LinkState:
    return world.state.saved.links[world.task("account").key][record].state


def test_it_finds_records_that_our_user_may_not_see_any_more() -> None:
    world = make_listed()
    ids = make_accounts(world, 5)
    world.sync()
    Lists.hidden = frozenset(ids[:2])
    assert world.counts() == Counts(deleted=2)
    assert set(world.rows("client")) == set(ids[2:])
    assert_idle(world)
    Lists.hidden = frozenset()
    assert world.counts() == Counts(read=2, created=2)
    assert world.rows("client") == world.rows("server")
    assert_idle(world)


def test_it_marks_what_it_may_not_delete_and_takes_the_mark_back() -> None:
    world = make_listed(sync_deletion=False, filters={"account": with_a_tag()})
    tag = world.server.create("tag", {"name": "It"})
    tagged = world.server.create("account", {"parentaccountid": tag})
    other = world.server.create("tag", {"name": "Other"})
    world.server.create("account", {"parentaccountid": other})
    world.sync()
    world.server.delete("tag", tag)
    assert world.counts() == Counts(read=1, kept=1), "the account itself never changed"
    assert state(world, tagged) is LinkState.LEFT_FILTER
    assert_idle(world)
    world.server.create("tag", {"name": "It again"}, id=tag)
    assert world.counts() == Counts(read=1, unchanged=1)
    assert state(world, tagged) is LinkState.CURRENT
    assert_idle(world)


def with_a_tag() -> Query:
    link = Link(entity="tag", from_attribute="tagid", to_attribute="parentaccountid")
    return Query(entity="account", links=(link,))


def test_it_deletes_what_left_a_volatile_filter() -> None:
    world = make_listed(filters={"account": with_a_tag()})
    tags = [world.server.create("tag", {"name": name}) for name in ("It", "Other")]
    first, _ = [world.server.create("account", {"parentaccountid": tag}) for tag in tags]
    world.sync()
    world.server.delete("tag", tags[0])
    assert world.counts() == Counts(read=1, left=1)
    assert first not in world.rows("client")
    assert_idle(world)


def test_a_last_record_that_the_server_shows_outside_the_filter_is_believed() -> None:
    world = make_listed(filters={"account": with_a_tag()})
    tag = world.server.create("tag", {"name": "It"})
    world.server.create("account", {"parentaccountid": tag})
    world.sync()
    world.server.delete("tag", tag)
    assert world.counts() == Counts(read=1, left=1)
    assert_idle(world)


def test_pairs_are_found_like_records() -> None:
    world = make_listed(entities=("account", "accounttag", "tag"))
    accounts = make_accounts(world, 2)
    tag = world.server.create("tag", {"name": "VIP"})
    pairs = [world.server.associate("accounttags", account, tag) for account in accounts]
    world.sync()
    world.server.delete("accounttag", pairs[0])
    world.server.expire_checkpoints()
    assert world.counts("accounttag") == Counts(read=1, unchanged=1, deleted=1)
    assert set(world.rows("client", "accounttag")) == {pairs[1]}
    assert_idle(world)


@pytest.mark.parametrize("error", [Retryable("The answer broke off."), None])
def test_a_list_that_breaks_off_proves_nothing(error: Exception | None) -> None:
    world = make_listed()
    ids = make_accounts(world, 6)
    world.sync()
    world.server.expire_checkpoints()
    world.server.delete("account", ids[5])
    world.server.expire_checkpoints()
    Lists.breaks = [error]
    assert world.counts().deleted == 1
    assert set(world.rows("client")) == set(ids[:5])
    assert_idle(world)


def test_a_list_that_always_breaks_off_ends_the_entity_without_a_deletion() -> None:
    world = make_listed()
    ids = make_accounts(world, 6)
    world.sync()
    Lists.hidden = frozenset(ids[:2])
    Lists.breaks = [Retryable("Busy.") for _ in range(world.options.attempts)]
    assert world.sync()["account"].failed == "Busy."
    assert len(world.rows("client")) == 6


class Hasty(Lists):
    """A server on which a record is deleted, and another made, while the list is read."""

    gone = ""

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        pages = list(super().ids(entity, query))
        yield pages[0]
        if Hasty.gone:
            self.organization.delete("account", Hasty.gone)
            self.organization.create("account", {"name": "New"})
            Hasty.gone = ""
        yield from pages[1:]


@pytest.mark.parametrize("which", [0, 5])
def test_changes_in_the_middle_of_a_list_are_carried_next_time(which: int) -> None:
    world = make_listed(reading=Hasty)
    ids = make_accounts(world, 6)
    world.sync()
    Hasty.gone = sorted(ids)[which]
    assert world.counts() == Counts(), "it was named, or it was there when the list began"
    assert world.counts() == Counts(read=1, created=1, deleted=1)
    assert world.rows("client") == world.rows("server")
    assert_idle(world)


def test_records_left_behind_are_tried_once_in_a_run() -> None:
    world = make_listed()
    first, _ = make_accounts(world, 2)
    world.client.faults.always_rejected = {first}
    assert world.counts().rejected == 1
    assert world.counts() == Counts(read=1, rejected=1)


def test_a_dry_run_predicts_what_a_comparison_finds() -> None:
    world = make_listed(filters={"account": with_a_tag()})
    tags = [world.server.create("tag", {"name": str(number)}) for number in range(4)]
    for tag in tags:
        world.server.create("account", {"parentaccountid": tag})
    world.sync()
    world.server.delete("tag", tags[0])
    late = world.server.new_id()
    world.server.create("account", {"parentaccountid": late})
    world.sync()
    world.server.create("tag", {"name": "Late"}, id=late)
    world.server.delete("tag", tags[1])
    writes = (world.client.version, world.state.writes)
    predicted = world.sync(dry_run=True)
    assert (world.client.version, world.state.writes) == writes
    assert predicted["account"].counts == Counts(read=2, created=1, left=1)
    assert world.sync() == predicted


def test_a_dry_run_predicts_marks_of_several_entities() -> None:
    world = make_world(sync_deletion=True)
    accounts = make_accounts(world, 4)
    tags = [world.server.create("tag", {"name": str(number)}) for number in range(3)]
    pairs = [world.server.associate("accounttags", accounts[n], tags[n]) for n in range(3)]
    world.sync()
    world.server.delete("accounttag", pairs[0])
    world.server.delete("account", accounts[0])
    world.server.delete("tag", tags[0])
    predicted = world.sync(dry_run=True)
    assert [predicted[name].counts.deleted for name in ("account", "accounttag", "tag")] == [1] * 3
    assert world.sync() == predicted


# When it can be left out


def test_an_idle_run_asks_for_no_list_where_the_feed_tells_all() -> None:
    world = make_listed(reading=TellsAll)
    make_accounts(world, 3)
    world.sync()
    world.sync()
    assert Lists.asked == 0, "a first load has nothing to compare, and the feed tells the rest"
    world.later(timedelta(days=2))
    world.sync()
    assert Lists.asked == 0


def test_a_feed_that_tells_all_is_not_trusted_before_a_comparison() -> None:
    world = make_listed(reading=TellsAll, sync_deletion=False)
    first, *_ = make_accounts(world, 3)
    world.sync()
    world.server.delete("account", first)
    world.server.expire_checkpoints()
    assert world.counts() == Counts(read=2, unchanged=2)
    assert (Lists.asked, first in world.rows("client")) == (0, True)
    world.sync_deletion = True
    assert world.counts() == Counts(deleted=1), "the deletion that nobody told is found now"
    assert Lists.asked == 1
    assert_idle(world)
    assert Lists.asked == 1


def test_a_full_reading_is_followed_by_a_comparison() -> None:
    world = make_listed(reading=TellsAll)
    first, *_ = make_accounts(world, 3)
    world.sync()
    world.server.delete("account", first)
    world.server.expire_checkpoints()
    assert world.counts() == Counts(read=2, unchanged=2, deleted=1)
    assert Lists.asked == 1


def test_a_volatile_filter_is_compared_in_every_run() -> None:
    world = make_listed(reading=TellsAll, filters={"account": with_a_tag()})
    tag = world.server.create("tag", {"name": "It"})
    world.server.create("account", {"parentaccountid": tag})
    world.sync()
    world.sync()
    assert Lists.asked == 1


def test_a_server_whose_feed_does_not_tell_all_is_compared_in_every_run() -> None:
    world = make_listed()
    make_accounts(world, 3)
    world.sync()
    assert_idle(world)
    assert_idle(world)
    assert Lists.asked == 2


def assert_idle(world: World) -> None:
    before = (world.client.version, world.state.writes)
    world.sync()
    assert (world.client.version, world.state.writes) == before
