"""The engine's memory on real rows."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection as database
from django.db import transaction

from connections.models import Connection, SyncedEntity
from syncjobs.engine.values import LinkRow, LinkState, Position
from syncjobs.errors import AlreadyLinked, LostLease
from syncjobs.models import Link, Run
from syncjobs.state import DatabaseState
from tests.syncjobs.making import make_connection, make_run

pytestmark = pytest.mark.django_db
DIGEST = "0123456789abcdef0123456789abcdef"


def save_page(state: DatabaseState, key: int, links: list[LinkRow]) -> None:
    with state.page():
        state.save_position(key, Position(token="lost"))
        state.save_links(key, links, new=True)


def make_state(connection: Connection | None = None) -> DatabaseState:
    run = make_run(connection or make_connection(), state=Run.State.RUNNING, fence=3)
    return DatabaseState(run)


def make_key(name: str = "account") -> int:
    return SyncedEntity.objects.get(name=name).pk


def make_link(**more: object) -> LinkRow:
    server_id = str(uuid.uuid4())
    return LinkRow(server_id, server_id, 5, 7, DIGEST)._replace(**more)  # type: ignore[arg-type]


def test_it_returns_links_as_they_were_saved() -> None:
    state, key = make_state(), 0
    key = make_key()
    links = [make_link(), make_link(client_id=str(uuid.uuid4()), state=LinkState.LEFT_FILTER)]
    assert not state.has_links(key)
    state.save_links(key, links, new=True)
    assert state.has_links(key)
    wanted = [link.server_id for link in links] + [str(uuid.uuid4())]
    assert state.links(key, wanted) == {link.server_id: link for link in links}
    assert state.links(key + 1, wanted) == {}
    by_client = state.links_by_client(key, [links[1].client_id])
    assert by_client == {links[1].client_id: links[1]}


def test_links_follow_records_unless_they_have_gone_on() -> None:
    state, key = make_state(), make_key()
    still, moved = make_link(), make_link(client_version=9)
    state.save_links(key, [still, moved], new=True)
    state.follow(key, {still.client_id: (7, 11), moved.client_id: (7, 11)})
    found = state.links(key, [still.server_id, moved.server_id])
    assert found[still.server_id] == still._replace(client_version=11)
    assert found[moved.server_id] == moved


def test_it_replaces_links_and_adds_others() -> None:
    state, key = make_state(), 0
    key = make_key()
    old, other = make_link(), make_link()
    state.save_links(key, [old, other], new=True)
    for version in (8, 9):
        changed, added = old._replace(client_version=version), make_link()
        state.save_links(key, [changed, added])
        assert state.links(key, [old.server_id, added.server_id]) == {
            old.server_id: changed,
            added.server_id: added,
        }
    assert state.links(key, [other.server_id]) == {other.server_id: other}
    assert Link.objects.count() == 4


def test_it_says_when_a_new_link_is_not_new() -> None:
    state = make_state()
    key, link = make_key(), make_link()
    state.save_links(key, [link], new=True)
    with pytest.raises(AlreadyLinked):
        save_page(state, key, [make_link(), link])
    assert Link.objects.count() == 1
    assert state.position(key) == Position()


def test_it_drops_links() -> None:
    state = make_state()
    key, links = make_key(), [make_link(), make_link()]
    state.save_links(key, links, new=True)
    state.drop_links(key, [links[0].server_id])
    assert list(state.links(key, [link.server_id for link in links])) == [links[1].server_id]


def test_it_finds_the_newest_links() -> None:
    state, key = make_state(), 0
    key = make_key()
    links = [make_link(server_version=version) for version in (3, 9, 5)]
    state.save_links(key, links, new=True)
    found = state.newest_links(key, 2)
    assert [link.server_version for link in found] == [9, 5]


def test_it_remembers_the_position() -> None:
    state = make_state()
    key = make_key()
    assert state.position(key) == Position()
    position = Position(
        scope="a.b",
        token="t" * 3000,
        resume="r",
        full=True,
        fresh=True,
        low_water=1,
        high_water=2**40,
        completed=datetime(2024, 5, 1, tzinfo=UTC),
    )
    for expected in (position, Position(scope="a.c", token="2")):
        state.save_position(key, expected)
        assert state.position(key) == expected


def test_it_remembers_what_was_left_behind() -> None:
    state = make_state()
    key, ids = make_key(), sorted(str(uuid.uuid4()) for _ in range(3))
    state.leave_behind(key, ids[:2])
    state.leave_behind(key, ids[1:])
    assert sorted(state.left_behind(key)) == ids
    state.catch_up(key, ids[:1])
    assert sorted(state.left_behind(key)) == ids[1:]


def test_it_translates_only_what_differs_and_only_of_its_connection() -> None:
    connection = make_connection(entities=("systemuser", "account"))
    make_connection("other", entities=("team",))
    state = make_state(connection)
    moved = make_link(client_id=str(uuid.uuid4()))
    state.save_links(make_key("systemuser"), [moved, make_link()], new=True)
    state.save_links(make_key("team"), [make_link(client_id=str(uuid.uuid4()))], new=True)
    found = state.translations(["systemuser", "team"])
    assert found == {("systemuser", moved.server_id): moved.client_id}


@pytest.mark.parametrize(
    "change",
    [{"fence": 4}, {"state": Run.State.FAILED}, {"state": Run.State.QUEUED}],
    ids=["claimed by another", "ended", "given back"],
)
def test_it_does_not_hold_what_is_not_ours(change: dict[str, object]) -> None:
    state = make_state()
    Run.objects.update(**change)
    with pytest.raises(LostLease), state.page():
        state.hold()


@pytest.mark.django_db(transaction=True)
def test_nobody_claims_the_run_until_the_page_is_committed() -> None:
    state = make_state()
    order: list[str] = []
    started = threading.Event()
    with state.page():
        state.hold()
        other = threading.Thread(target=lambda: raise_fence(started, order.append))
        other.start()
        started.wait(10)
        other.join(0.2)
        order.append("page")
    other.join(10)
    assert order == ["page", "claimed"]
    with pytest.raises(LostLease), transaction.atomic():
        state.hold()


def raise_fence(started: threading.Event, note: Callable[[str], None]) -> None:
    try:
        started.set()
        Run.objects.update(fence=4)
        note("claimed")
    finally:
        database.close()
