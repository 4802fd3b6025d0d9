"""Several writers, changing metadata and losing the process: what others see and what is left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from organizations import catalog
from organizations.catalog import exclusive_schema_lock, locks, shared_schema_lock
from organizations.errors import SchemaConflict
from organizations.models import ChangeLog, Organization
from organizations.notifications import changed
from organizations.records import Action, Row
from organizations.store import Store
from organizations.tables.database import one
from tests.organizations.making import make_account, make_attribute, make_id, make_store, write

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = ("accountid", "name")
SECONDS = 20


@contextmanager
def threads(count: int) -> Iterator[Callable[..., Future[object]]]:
    """Yield a function that runs another in a thread with a database connection of its own."""

    def closing(work: Callable[..., object], *args: object) -> object:
        try:
            return work(*args)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        yield lambda work, *args: pool.submit(closing, work, *args)


def make_rows(count: int) -> list[Row]:
    return [(make_id(), f"n{number}") for number in range(count)]


def write_and_die(store: Store) -> None:
    with transaction.atomic():
        write(store, Action.CREATE, COLUMNS, make_rows(5))
        raise KeyboardInterrupt


def is_waiting() -> bool:
    return one("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1") is not None


def wait_until_blocked() -> None:
    pause = threading.Event()
    for _ in range(SECONDS * 100):
        if is_waiting():
            return
        pause.wait(0.01)
    raise AssertionError("nobody waits for a lock")


def test_a_later_writer_waits_so_a_reader_never_misses_a_version() -> None:
    store = make_store()
    with threads(1) as start:
        with transaction.atomic():
            write(store, Action.CREATE, COLUMNS, make_rows(3))
            later = start(Store(store.organization).create, "account", {"name": "later"})
            wait_until_blocked()
            assert not later.done()
        record = later.result(SECONDS)
    assert record.version == 4  # type: ignore[attr-defined]
    assert [change.version for change in store.changes(0)] == [1, 2, 3, 4]


def test_readers_that_ask_since_a_version_see_every_write_of_many_writers() -> None:
    store, writers, each = make_store(), 4, 25

    def write_some() -> None:
        own = Store(store.organization)
        for number in range(each):
            if number % 5:
                own.create("account", {"name": "x"})
            else:
                with transaction.atomic():
                    write(own, Action.CREATE, COLUMNS, make_rows(3))

    seen: list[int] = []
    with threads(writers) as start:
        running = [start(write_some) for _ in range(writers)]
        while not all(item.done() for item in running):
            seen += [c.version for c in store.changes(seen[-1] if seen else 0)]
        for item in running:
            item.result()
    seen += [c.version for c in store.changes(seen[-1] if seen else 0)]
    assert seen == list(range(1, store.row_version() + 1))
    assert len(seen) == writers * (20 + 5 * 3)


def test_staging_takes_no_lock_that_a_user_could_feel() -> None:
    store = make_store()
    with threads(1) as start, transaction.atomic():
        rows = make_rows(100)
        staged = store.stage(
            "account", action=Action.CREATE, columns=COLUMNS, rows=rows, expected=[0] * 100
        )
        start(Store(store.organization).create, "account", {"name": "user"}).result(SECONDS)
        assert list(store.merge(staged).versions) == list(range(2, 102))


def test_what_a_lost_process_had_not_committed_is_not_there() -> None:
    store = make_store()
    with pytest.raises(KeyboardInterrupt):
        write_and_die(store)
    assert store.row_version() == 0
    assert not ChangeLog.objects.exists()
    assert store.page("account", COLUMNS) == []
    with transaction.atomic():
        assert list(write(store, Action.CREATE, COLUMNS, make_rows(2)).versions) == [1, 2]


def test_stages_are_empty_after_a_commit() -> None:
    store = make_store()
    for _ in range(2):
        with transaction.atomic():
            staged = store.stage(
                "account", action=Action.CREATE, columns=COLUMNS, rows=make_rows(2), expected=[0, 0]
            )
        assert one(f"SELECT count(*) FROM {staged.stage.table.as_string(None)}") == (0,)


def test_writers_wait_for_a_change_of_metadata_and_then_know_it() -> None:
    store = make_store()
    with threads(1) as start:
        with exclusive_schema_lock(store.organization):
            catalog.define(store.organization, [make_account(make_attribute("fax"))])
            writing = start(store.create, "account", {"fax": "1"})
            wait_until_blocked()
        record = writing.result(SECONDS)
    assert record.values["fax"] == "1"  # type: ignore[attr-defined]


def test_metadata_in_use_are_refused_after_some_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT_MS", 20)
    store = make_store()
    with threads(1) as start, shared_schema_lock(store.organization):
        change = start(catalog.define, store.organization, [make_account(make_attribute("fax"))])
        with pytest.raises(SchemaConflict, match="are in use by a running job. Try again"):
            change.result(SECONDS)


def test_a_table_being_read_for_long_is_not_altered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT_MS", 20)
    store = make_store()
    with threads(1) as start, transaction.atomic():
        store.page("account", COLUMNS)
        change = start(catalog.define, store.organization, [make_account(make_attribute("fax"))])
        with pytest.raises(SchemaConflict, match="table of entity 'account' is in use"):
            change.result(SECONDS)
    assert store.catalog.entity("account").attribute("fax") is None


def test_organizations_do_not_wait_for_each_other() -> None:
    one_store, other = make_store(), make_store()
    with threads(1) as start, transaction.atomic():
        write(one_store, Action.CREATE, COLUMNS, make_rows(1))
        start(other.create, "account", {"name": "x"}).result(SECONDS)


def test_listeners_hear_of_changes_after_the_commit_only() -> None:
    store = make_store()
    heard: list[object] = []

    def listen(organization_id: object, **_: object) -> None:
        heard.append(organization_id)

    changed.connect(listen)
    try:
        with transaction.atomic():
            store.create("account", {"name": "x"})
            assert heard == []
        assert heard == [store.organization.pk]
        with pytest.raises(KeyboardInterrupt):
            write_and_die(store)
        assert heard == [store.organization.pk]
    finally:
        changed.disconnect(listen)


def test_an_organization_with_more_tables_than_one_transaction_locks_can_be_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalog.hosting, "DROPPED_AT_ONCE", 2)
    store = make_store(*(make_account_named(f"e{number}") for number in range(5)))
    catalog.delete_organization(store.organization)
    assert not Organization.objects.exists()


def make_account_named(name: str):  # type: ignore[no-untyped-def]
    return make_account().__class__(
        name=name, primary_id="accountid", attributes=make_account().attributes
    )
