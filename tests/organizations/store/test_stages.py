"""The temporary tables of bulk writes, remembered by session."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from organizations.records import Action, Row
from organizations.store import Store
from organizations.store.merging import Merged
from organizations.store.stages import MOST_STAGES, PREFIX
from organizations.tables.database import fetch
from tests.organizations.making import make_account, make_attribute, make_id, make_store, write

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = ("accountid", "name", "employees")


def make_rows(count: int) -> list[Row]:
    return [(make_id(), f"Ácme {n}", n) for n in range(count)]


def create(store: Store, rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> Merged:
    with transaction.atomic():
        return write(store, Action.CREATE, columns, rows)


def write_and_roll_back(store: Store, rows: list[Row]) -> None:
    with transaction.atomic():
        write(store, Action.CREATE, COLUMNS, rows)
        transaction.set_rollback(True)


def stages() -> int:
    found = fetch(
        "SELECT 1 FROM pg_class WHERE relnamespace = pg_my_temp_schema() "
        "AND relname LIKE %s AND relkind = 'r'",
        [f"{PREFIX}%"],
    )
    return len(found)


def test_a_stage_is_made_once_and_then_remembered() -> None:
    store = make_store()
    create(store, make_rows(2))
    with CaptureQueriesContext(connection) as queries:
        create(store, make_rows(100))
    assert not [query["sql"] for query in queries if "pg_class" in query["sql"]]
    assert not [query["sql"] for query in queries if "max(ord)" in query["sql"]]
    assert store.count_records("account") == 102


def test_a_stage_that_was_rolled_back_is_made_again() -> None:
    store = make_store()
    write_and_roll_back(store, make_rows(2))
    assert not create(store, make_rows(3)).failed
    assert store.count_records("account") == 3


def test_numbers_used_up_by_a_page_that_failed_are_not_given_again() -> None:
    store = make_store()
    rows = make_rows(4)
    create(store, rows[:2])
    bad: list[Row] = [rows[2], (make_id(), "Ácme", 2**40)]
    assert set(create(store, bad).failed) == {1}
    write_and_roll_back(store, [rows[3]])
    merged = create(store, [rows[3]])
    assert not merged.failed
    found = {str(row[0]): row[-1] for row in store.page("account", COLUMNS)}
    assert found[str(rows[3][0])] == merged.versions[0]
    assert len(found) == 4


def test_stages_of_many_shapes_do_not_pile_up() -> None:
    attributes = [make_attribute(f"new_{uuid4().hex[:8]}") for _ in range(MOST_STAGES + 5)]
    store = make_store(make_account(*attributes))
    for attribute in attributes:
        create(store, [(make_id(), "x")], ("accountid", attribute.name))
    assert stages() == MOST_STAGES
    assert store.count_records("account") == len(attributes)


def test_a_stage_whose_rows_still_wait_is_not_dropped() -> None:
    attributes = [make_attribute(f"new_{uuid4().hex[:8]}") for _ in range(MOST_STAGES)]
    store = make_store(make_account(*attributes))
    for attribute in attributes:
        create(store, [(make_id(), "x")], ("accountid", attribute.name))
    first = ("accountid", attributes[0].name)
    with transaction.atomic():
        waiting = store.stage(
            "account", action=Action.CREATE, columns=first, rows=[(make_id(), "y")], expected=[0]
        )
        write(store, Action.CREATE, COLUMNS, make_rows(1))
        assert not store.merge(waiting).failed
    assert stages() == MOST_STAGES
