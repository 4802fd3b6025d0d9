"""Bulk writes: staged without locks, merged under versions, one bad row costs only itself."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from organizations import catalog
from organizations.errors import InvalidRequest, SchemaConflict
from organizations.models import ChangeLog, DeletedRecord
from organizations.records import Action, Row
from organizations.store import FaultKind, Store
from organizations.store.staging import MOST_ROWS
from tests.organizations.making import (
    make_account,
    make_activity,
    make_attribute,
    make_id,
    make_rivals,
    make_store,
    write,
)

pytestmark = pytest.mark.django_db
COLUMNS = ("accountid", "name", "employees")
PAIR = ("accountrivalid", "accountidone", "accountidtwo")


def make_rows(count: int) -> list[Row]:
    return [(make_id(), f"Ácme {n}", n) for n in range(count)]


def names(store: Store) -> dict[str, object]:
    return {str(row[0]): row[1] for row in store.page("account", COLUMNS)}


def test_creates_get_a_block_of_versions_in_order_and_a_log() -> None:
    store, rows = make_store(), make_rows(5)
    merged = write(store, Action.CREATE, COLUMNS, rows, origin="c1")
    assert list(merged.versions) == [1, 2, 3, 4, 5]
    assert list(merged.ids) == [row[0] for row in rows]
    assert not merged.failed
    found = store.page("account", COLUMNS, since=0)
    assert found == [(*row, version) for row, version in zip(rows, merged.versions, strict=True)]
    changes = [(c.entity, c.id, c.action, c.version, c.origin) for c in store.changes(0)]
    assert changes == [
        ("account", row[0], Action.CREATE, number, "c1") for number, row in enumerate(rows, 1)
    ]


def test_a_page_without_conflicts_costs_few_statements() -> None:
    store = make_store()
    write(store, Action.CREATE, COLUMNS, make_rows(2))
    with CaptureQueriesContext(connection) as queries:
        write(store, Action.CREATE, COLUMNS, make_rows(100))
    statements = [query["sql"] for query in queries]
    assert sum("INSERT INTO" in statement for statement in statements) == 1
    assert sum("UPDATE" in statement for statement in statements) == 1
    assert len(statements) <= 10


def test_an_update_writes_only_what_is_still_at_its_version() -> None:
    store = make_store()
    rows = make_rows(3)
    write(store, Action.CREATE, COLUMNS, rows)
    store.update("account", str(rows[1][0]), {"name": "by a user"})
    renamed: list[Row] = [(row[0], "by the server") for row in rows]
    merged = write(store, Action.UPDATE, COLUMNS[:2], renamed, [1, 2, 3])
    assert set(merged.failed) == {1}
    fault = merged.failed[1]
    assert (fault.kind, fault.version) == (FaultKind.CONFLICT, 4)
    assert f"account {rows[1][0]} is at version 4 now" in fault.message
    assert names(store) == {
        rows[0][0]: "by the server",
        rows[1][0]: "by a user",
        rows[2][0]: "by the server",
    }
    logged = [change.id for change in store.changes(4)]
    assert logged == [rows[0][0], rows[2][0]]


def test_an_update_of_a_record_that_is_gone_is_a_conflict_with_version_0() -> None:
    merged = write(make_store(), Action.UPDATE, COLUMNS[:2], [(make_id(), "x")], [7])
    assert merged.failed[0].version == 0
    assert "is no longer there" in merged.failed[0].message


def test_a_create_of_a_record_that_is_there_is_a_conflict_and_the_others_are_made() -> None:
    store = make_store()
    there = store.create("account", {"name": "mine"})
    rows: list[Row] = [*make_rows(1), (there.id, "theirs", 1), *make_rows(1)]
    merged = write(store, Action.CREATE, COLUMNS, rows)
    assert {n: fault.version for n, fault in merged.failed.items()} == {1: 1}
    assert names(store)[there.id] == "mine"
    assert len(names(store)) == 3
    assert ChangeLog.objects.count() == 3


def test_the_same_id_twice_in_a_batch_is_written_once() -> None:
    store, key = make_store(), make_id()
    merged = write(store, Action.CREATE, COLUMNS, [(key, "first", 1), (key, "second", 2)])
    assert set(merged.failed) == {1}
    assert names(store) == {key: "first"}


def test_a_delete_moves_to_the_bin_what_is_still_at_its_version() -> None:
    store, rows = make_store(), make_rows(3)
    write(store, Action.CREATE, COLUMNS, rows)
    store.update("account", str(rows[2][0]), {"name": "kept"})
    ids: list[Row] = [(row[0],) for row in rows]
    merged = write(store, Action.DELETE, COLUMNS[:1], ids, [1, 2, 3], origin="c1")
    assert {n: fault.version for n, fault in merged.failed.items()} == {2: 4}
    assert list(names(store).values()) == ["kept"]
    binned = DeletedRecord.objects.order_by("version").values_list("version", "origin")
    assert list(binned) == [(5, "c1"), (6, "c1")]
    assert [change.action for change in store.changes(4)] == [Action.DELETE, Action.DELETE]
    restored = store.restore(DeletedRecord.objects.get(version=6))
    assert restored.values["employees"] == 1


BAD: list[tuple[Row, str, str]] = [
    ((make_id(), "x", 2**31), "22003", "number in attribute 'employees' is too large"),
    ((make_id(), "x", "seven"), "22P02", "attribute 'employees' holds a value of another type"),
    ((make_id(), "a\x00b", 1), "22021", "a character that cannot be stored"),
    ((make_id(), "\ud800", 1), "22021", "a character that cannot be stored"),
    (("no id", "x", 1), "22P02", "attribute 'accountid' holds a value of another type"),
]


@pytest.mark.parametrize(("bad", "code", "message"), BAD)
def test_a_bad_row_costs_only_itself(bad: Row, code: str, message: str) -> None:
    store, rows = make_store(), make_rows(9)
    rows.insert(4, bad)
    merged = write(store, Action.CREATE, COLUMNS, rows)
    assert set(merged.failed) == {4}
    assert merged.failed[4].kind is FaultKind.REJECTED
    assert merged.failed[4].code == code
    assert message in merged.failed[4].message
    assert len(names(store)) == 9
    assert ChangeLog.objects.count() == 9


def test_many_bad_rows_and_a_conflict_in_one_batch_are_told_apart() -> None:
    store = make_store()
    there = store.create("account", {"name": "mine"})
    rows: list[Row] = [*make_rows(2), *[bad for bad, _, _ in BAD], (there.id, "x", 1)]
    merged = write(store, Action.CREATE, COLUMNS, rows)
    kinds = {n: fault.kind for n, fault in merged.failed.items()}
    assert kinds == {n: FaultKind.REJECTED for n in range(2, 7)} | {7: FaultKind.CONFLICT}
    assert len(names(store)) == 3


def test_a_record_too_large_for_a_row_is_rejected_in_words() -> None:
    wide = [make_attribute(f"new_{n}") for n in range(600)]
    store = make_store(make_account(*wide))
    columns = ("accountid", *(attribute.name for attribute in wide))
    huge: Row = (make_id(), *(make_id() + make_id() for _ in wide))
    small: Row = (make_id(), *(None for _ in wide))
    merged = write(store, Action.CREATE, columns, [small, huge])
    assert merged.failed[1].code == "54000"
    assert "too large to be stored" in merged.failed[1].message
    assert store.count_records("account") == 1


def test_a_number_of_any_size_and_its_places_are_kept() -> None:
    store, key = make_store(), make_id()
    value = Decimal("123456789012345678901234567890.12")
    write(store, Action.CREATE, ("accountid", "revenue"), [(key, value)])
    assert store.get("account", key).values["revenue"] == value


def test_an_existing_pair_is_found_under_its_own_id() -> None:
    store = make_store(make_account(), make_rivals())
    one, two = make_id(), make_id()
    first = write(store, Action.CREATE, PAIR, [(make_id(), one, two)], entity="accountrivals")
    again = write(
        store,
        Action.CREATE,
        PAIR,
        [(make_id(), two, one), (make_id(), one, two), (make_id(), one, one)],
        entity="accountrivals",
    )
    assert not again.failed
    assert again.ids[1] == first.ids[0]
    assert again.versions[1] == first.versions[0]
    assert store.count_records("accountrivals") == 3
    assert ChangeLog.objects.count() == 3


def test_a_row_id_that_holds_another_pair_is_a_conflict() -> None:
    store, key = make_store(make_account(), make_rivals()), make_id()
    write(store, Action.CREATE, PAIR, [(key, make_id(), make_id())], entity="accountrivals")
    merged = write(
        store, Action.CREATE, PAIR, [(key, make_id(), make_id())], entity="accountrivals"
    )
    assert merged.failed[0].kind is FaultKind.CONFLICT
    assert merged.failed[0].version == 1


def test_merging_activities_rewrites_their_parties() -> None:
    store = make_store(*make_activity())
    key, ada, bob = make_id(), make_id(), make_id()
    columns = ("activityid", "subject", "requiredattendees")
    rows: list[Row] = [(key, "Call", f'[[5,"account","{ada}"],[5,"contact","{bob}"]]')]
    write(store, Action.CREATE, columns, rows, entity="appointment")
    parties = ["activitypartyid", "partyid"]
    assert {row[1] for row in store.page("activityparty", parties)} == {ada, bob}
    write(store, Action.UPDATE, columns, [(key, "Call", None)], [1], entity="appointment")
    assert store.page("activityparty", parties) == []
    write(store, Action.UPDATE, columns, [rows[0]], [2], entity="appointment")
    write(store, Action.DELETE, columns[:1], [(key,)], [3], entity="appointment")
    assert store.page("activityparty", parties) == []


def test_a_party_list_that_is_no_list_costs_only_its_activity() -> None:
    store = make_store(*make_activity())
    rows: list[Row] = [(make_id(), "no list"), (make_id(), f'[[5,"account","{make_id()}"]]')]
    merged = write(
        store, Action.CREATE, ("activityid", "requiredattendees"), rows, entity="appointment"
    )
    assert set(merged.failed) == {0}
    assert store.count_records("appointment") == 1
    assert store.count_records("activityparty") == 1


def test_batches_staged_together_do_not_mix() -> None:
    store = make_store()
    first = stage_creates(store, make_rows(2))
    second = stage_creates(store, make_rows(3))
    assert list(store.merge(second).versions) == [1, 2, 3]
    assert list(store.merge(first).versions) == [4, 5]
    assert store.count_records("account") == 5


def stage_creates(store: Store, rows: list[Row]):  # type: ignore[no-untyped-def]
    return store.stage(
        "account", action=Action.CREATE, columns=COLUMNS, rows=rows, expected=[0] * len(rows)
    )


def test_records_on_their_way_do_not_meet_a_changed_entity() -> None:
    store = make_store()
    staged = stage_creates(store, make_rows(1))
    catalog.define(store.organization, [make_account(make_attribute("fax"))])
    with pytest.raises(SchemaConflict, match="'account' changed while records were on their way"):
        store.merge(staged)


def test_another_entity_may_change_meanwhile() -> None:
    store = make_store(make_account(), make_rivals())
    staged = stage_creates(store, make_rows(1))
    catalog.hide(store.organization, ["accountrivals"])
    assert not store.merge(staged).failed


def test_it_refuses_too_many_rows_and_a_batch_without_its_id() -> None:
    store = make_store()
    with pytest.raises(InvalidRequest, match="5001 rows; at most 5000"):
        stage_creates(store, make_rows(MOST_ROWS + 1))
    with pytest.raises(InvalidRequest, match="first column .* must be its primary id 'accountid'"):
        store.stage("account", action=Action.CREATE, columns=("name",), rows=[], expected=[])
    with pytest.raises(InvalidRequest, match="no stored attribute 'nam'"):
        write(store, Action.CREATE, ("accountid", "nam"), [(make_id(), "x")])


def test_loading_goes_by_batches_and_names_the_first_bad_row() -> None:
    store = make_store()
    assert store.load("account", COLUMNS, iter(make_rows(MOST_ROWS + 10))) == MOST_ROWS + 10
    assert store.row_version() == MOST_ROWS + 10
    with pytest.raises(InvalidRequest, match="Row 3: The number in attribute 'employees'"):
        store.load("account", COLUMNS, [*make_rows(2), (make_id(), "x", 2**40)])


@pytest.mark.django_db(transaction=True)
def test_rows_are_staged_in_a_transaction_only() -> None:
    store = make_store()
    with pytest.raises(transaction.TransactionManagementError, match="inside a transaction only"):
        stage_creates(store, make_rows(1))
