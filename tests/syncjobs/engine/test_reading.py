"""Servers that answer oddly: what the engine makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from connections.connectors.base import ReadRequest
from connections.connectors.memory import Fault, MemoryConnector
from connections.errors import CheckpointExpired
from organizations.query.nodes import Link, Query
from organizations.records import Page
from organizations.schema import Attribute, Entity
from syncjobs.engine.values import Counts
from tests.syncjobs.engine import world as world_module
from tests.syncjobs.engine.test_pull import assert_idle
from tests.syncjobs.engine.world import make_accounts, make_world

Change = Callable[[ReadRequest, Page], Page]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], None]:
    """Let every page of accounts go through a function before the engine gets it."""

    def install(change: Change) -> None:
        class Odd(MemoryConnector):
            def read(self, request: ReadRequest) -> Iterator[Page]:
                for page in super().read(request):
                    yield change(request, page) if page.entity == "account" else page

        monkeypatch.setattr(world_module, "MemoryConnector", Odd)

    return install


def test_it_does_not_delete_what_the_server_still_has(
    answer: Callable[[Change], None],
) -> None:
    world = make_world(sync_deletion=True)
    first, second = make_accounts(world, 2)
    world.sync()
    world.server.update("account", first, {"name": "Restored"})
    answer(lambda request, page: replace(page, deleted=(first, second)))
    assert world.counts() == Counts(read=2, updated=1, unchanged=1)
    assert world.rows("client") == world.rows("server")


def test_it_takes_no_deletion_from_a_full_reading(answer: Callable[[Change], None]) -> None:
    world = make_world(sync_deletion=True)
    first, *_ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    answer(lambda request, page: replace(page, deleted=(first,)))
    assert world.counts(full=True) == Counts(read=1, unchanged=1)
    assert first in world.rows("client")


def test_it_takes_the_later_of_two_rows_in_one_page(answer: Callable[[Change], None]) -> None:
    world = make_world(page_size=50)
    (first,) = make_accounts(world, 1)

    def twice(request: ReadRequest, page: Page) -> Page:
        old = (first, *("old" for _ in page.columns[1:]))
        return replace(page, rows=[old, *page.rows], versions=[1, *page.versions])

    answer(twice)
    assert world.counts() == Counts(read=1, created=1)
    assert world.rows("client") == world.rows("server")


def test_it_takes_columns_in_any_order(answer: Callable[[Change], None]) -> None:
    world = make_world()
    make_accounts(world, 3)

    def turn(request: ReadRequest, page: Page) -> Page:
        order = [0, *range(len(page.columns) - 1, 0, -1)]
        return replace(
            page,
            columns=tuple(page.columns[place] for place in order),
            rows=[tuple(row[place] for place in order) for row in page.rows],
        )

    answer(turn)
    world.sync()
    assert world.rows("client") == world.rows("server")


def test_it_ends_an_entity_that_comes_without_an_attribute(
    answer: Callable[[Change], None],
) -> None:
    world = make_world()
    make_accounts(world, 1)
    answer(
        lambda request, page: replace(
            page, columns=page.columns[:1], rows=[row[:1] for row in page.rows]
        )
    )
    assert world.sync()["account"].failed == (
        "Entity 'account' came without its attribute 'city'. Run Update Server."
    )


def test_it_reads_again_since_the_checkpoint_when_a_page_cannot_be_resumed(
    answer: Callable[[Change], None],
) -> None:
    world = make_world(entities=("account",), sync_deletion=True)
    ids = make_accounts(world, 5)
    world.sync()
    for account in ids[:4]:
        world.server.update("account", account, {"name": "New"})
    world.server.delete("account", ids[4])
    times = iter(range(3))

    def expire(request: ReadRequest, page: Page) -> Page:
        if next(times, None) == 1:
            raise CheckpointExpired("The page's cookie is too old.")
        return page

    answer(expire)
    assert world.counts() == Counts(read=6, updated=4, unchanged=2, deleted=1)


def test_it_reads_everything_when_a_checkpoint_expires_after_the_first_pages(
    answer: Callable[[Change], None],
) -> None:
    world = make_world(entities=("account",), page_size=2)
    ids = make_accounts(world, 3)
    world.sync()
    for account in ids:
        world.server.update("account", account, {"name": "New"})

    def expire(request: ReadRequest, page: Page) -> Page:
        if request.since and page.resume is None:
            raise CheckpointExpired("Changes since the checkpoint are no longer known.")
        return page

    answer(expire)
    assert world.sync()["account"].failed == ""
    assert world.rows("client") == world.rows("server")


def test_it_gives_up_on_a_checkpoint_that_always_expires(
    answer: Callable[[Change], None],
) -> None:
    world = make_world(entities=("account",))

    def expire(request: ReadRequest, page: Page) -> Page:
        raise CheckpointExpired("Never valid.")

    answer(expire)
    assert world.sync()["account"].failed == "Never valid."


def test_it_asks_again_before_it_calls_the_server_older(
    answer: Callable[[Change], None],
) -> None:
    world = make_world(entities=("account",), page_size=50)
    first, *_ = make_accounts(world, 2)
    world.sync()
    world.server.update("account", first, {"name": "New"})
    world.sync()
    world.server.create("account", {})
    answer(lambda request, page: replace(page, versions=[1 for _ in page.rows]))
    assert world.counts(full=False).created == 1


def test_a_record_that_cannot_be_seen_is_not_a_deleted_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make_world(entities=("account",), sync_deletion=True)
    first, *_ = make_accounts(world, 2)
    world.sync()
    world.client.update("account", first, {"city": "Brno"})
    world.server.update("account", first, {"city": "Praha"})
    world.sync()
    world.client.update("account", first, {"city": None})

    class Blind(MemoryConnector):
        def fetch(
            self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]
        ) -> Page:
            hidden = [item for item in ids if self.organization is world.client]
            return super().fetch(entity, attributes, hidden)

    monkeypatch.setattr(world_module, "MemoryConnector", Blind)
    assert world.counts() == Counts()
    assert first in world.rows("client")


def test_it_remembers_a_deletion_that_met_a_client_edit_while_writing() -> None:
    world = make_world(entities=("account",), sync_deletion=True)
    first, *_ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    world.client.faults.at_write(1, Fault.CONFLICT)
    assert world.counts() == Counts(conflicts=1)
    assert world.counts() == Counts(deleted=1)


@pytest.mark.parametrize("hosted", [True, False])
def test_it_does_not_recreate_what_the_client_deleted(hosted: bool) -> None:
    world = make_world(entities=("account",), hosted=hosted)
    for account in make_accounts(world, 2):
        world.sync()
        world.client.delete("account", account)
    assert world.counts(full=True) == Counts(read=2, unchanged=2)
    assert world.rows("client") == {}


def test_it_tries_a_rejected_record_of_a_volatile_filter_once_a_run() -> None:
    link = Link(entity="tag", from_attribute="tagid", to_attribute="parentaccountid")
    world = make_world(filters={"account": Query(entity="account", links=(link,))})
    tag = world.server.create("tag", {})
    account = world.server.create("account", {"parentaccountid": tag})
    world.client.faults.always_rejected = {account}
    assert world.counts() == Counts(read=1, rejected=1)
    assert world.counts() == Counts(read=1, rejected=1)
    world.client.faults.always_rejected = set()
    assert world.counts() == Counts(read=1, created=1)
    assert_idle(world)


def test_its_patience_begins_anew_with_every_page() -> None:
    world = make_world(entities=("account",), page_size=1)
    make_accounts(world, 6)
    for page in range(1, 12, 2):
        world.server.faults.at_page(page, Fault.RETRY)
    assert world.counts() == Counts(read=6, created=6)
    assert world.waits == [1.0] * 6


def test_it_comes_to_the_same_with_a_thread_that_reads_ahead() -> None:
    world = make_world(page_size=1)
    world.options = replace(world.options, read_ahead=True)
    make_accounts(world, 7)
    world.server.faults.at_page(2, Fault.RETRY)
    assert world.counts() == Counts(read=7, created=7)
    assert world.rows("client") == world.rows("server")
