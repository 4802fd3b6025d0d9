"""The queue of client changes on real rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from connections.models import SyncedEntity
from organizations.records import Value
from syncjobs import transaction_rows, transactions
from syncjobs.engine.plan import Waiting
from syncjobs.engine.transactions import Action, Changed, Conflict, Status, Transaction
from syncjobs.engine.values import Side
from syncjobs.models import OfflineTransaction, Run, TransactionEvent
from syncjobs.transactions import PROCESSED_KEPT, DatabaseQueue, forget_delivered
from tests.connections.connectors.sample import EVERY_TYPE
from tests.syncjobs.making import make_connection, make_run

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 5, 1, tzinfo=UTC)
FIRST = "11111111-1111-4111-8111-111111111111"
VALUES: list[Value] = [
    *EVERY_TYPE.values(),
    None,
    0,
    1.0,
    1e300,
    -0.1,
    False,
    "",
    2**62,
    Decimal("0.00"),
    Decimal("-1234567890123456789.1234567890"),
]


@pytest.fixture
def queue() -> DatabaseQueue:
    connection = make_connection(entities=("account", "contact"))
    return DatabaseQueue(connection, run=make_run(connection), actor="")


@contextmanager
def other_connection() -> Iterator[CursorWrapper]:
    """A cursor of another session."""
    other = connections["default"].copy()
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def make_key(name: str = "account") -> int:
    return SyncedEntity.objects.get(name=name).pk


def make_transaction(**more: object) -> Transaction:
    made = Transaction(
        entity=make_key(), client_id=FIRST, action=Action.UPDATE, version=9, first_version=4
    )
    return replace(made, **more)  # type: ignore[arg-type]


def saved(queue: DatabaseQueue, *items: Transaction) -> list[Transaction]:
    queue.add(items)
    newest = OfflineTransaction.objects.order_by("-pk").values_list("pk", flat=True)
    keys = sorted(newest[: len(items)])
    found = {item.id: item for item in transaction_rows.select("id = ANY(%(ids)s)", {"ids": keys})}
    return [found[key] for key in keys]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_it_keeps_values_as_they_are(queue: DatabaseQueue, value: Value) -> None:
    changes = {"a": Changed(None, value), "b": Changed(value, None)}
    sides: dict[str, Value] = {"a": value}
    conflict = Conflict(base=sides, server=sides, client=sides, server_version=3)
    (found,) = saved(queue, make_transaction(changes=changes, conflict=conflict))
    assert (found.changes, found.conflict) == (changes, conflict)
    assert found.changes is not None
    assert type(found.changes["a"].new) is type(value)
    assert repr(found.changes["a"].new) == repr(value)


def test_it_keeps_transactions_as_they_are(queue: DatabaseQueue) -> None:
    item = make_transaction(
        changes=None,
        based_on=7,
        actor="ann@example.com",
        at=NOW,
        status=Status.ERROR,
        attempts=2,
        next_attempt=NOW,
        code="0x80040237",
        message="A record exists.",
        choices={"name": Side.SERVER, "city": Side.CLIENT},
        side=Side.SERVER,
    )
    (found,) = saved(queue, item)
    assert found == replace(item, id=found.id)
    changed = replace(
        found,
        action=Action.DELETE,
        changes={},
        version=11,
        first_version=5,
        based_on=8,
        actor="bob",
        at=NOW + timedelta(days=1),
        status=Status.PENDING,
        attempts=0,
        next_attempt=None,
        code="",
        message="",
        choices={},
    )
    created = OfflineTransaction.objects.get().created
    queue.save([changed])
    assert transaction_rows.select("true", {}) == [changed]
    assert OfflineTransaction.objects.get().created == created


def test_it_returns_what_waits_for_records_oldest_first(queue: DatabaseQueue) -> None:
    other = str(uuid.uuid4())
    late, early = make_transaction(first_version=8), make_transaction(status=Status.ERROR)
    done = [make_transaction(status=status) for status in (Status.PROCESSED, Status.ARCHIVED)]
    elsewhere = make_transaction(entity=make_key("contact"))
    saved(queue, late, early, *done, elsewhere, make_transaction(client_id=other))
    found = queue.of_records(make_key(), [FIRST, str(uuid.uuid4())])
    assert {key: [item.first_version for item in items] for key, items in found.items()} == {
        FIRST: [4, 8]
    }


def test_it_returns_what_is_due_oldest_first(queue: DatabaseQueue) -> None:
    wanted = [
        make_transaction(first_version=3, next_attempt=NOW),
        make_transaction(first_version=2),
        make_transaction(first_version=1, next_attempt=NOW + timedelta(seconds=1)),
        make_transaction(first_version=1, status=Status.ERROR),
        make_transaction(first_version=1, entity=make_key("contact")),
    ]
    saved(queue, *wanted)
    assert [item.first_version for item in queue.due([make_key()], NOW)] == [2, 3]
    key = make_key()
    assert DatabaseQueue(make_connection("other")).due([key], NOW) == []


def test_it_returns_the_deletions_that_wait_oldest_first(queue: DatabaseQueue) -> None:
    deletion = {"action": Action.DELETE, "changes": None}
    saved(
        queue,
        make_transaction(**deletion, first_version=3, next_attempt=NOW + timedelta(days=1)),
        make_transaction(**deletion, first_version=2, status=Status.ERROR),
        make_transaction(**deletion, status=Status.PROCESSED),
        make_transaction(**deletion, entity=make_key("contact")),
        make_transaction(),
    )
    assert [item.first_version for item in queue.deletions([make_key()])] == [2, 3]
    key = make_key()
    assert DatabaseQueue(make_connection("other")).deletions([key]) == []


def test_it_writes_the_history_of_what_changed_its_status(queue: DatabaseQueue) -> None:
    first, second = saved(queue, make_transaction(), make_transaction(first_version=5))
    queue.save(
        [replace(first, status=Status.ARCHIVED, message="x"), replace(second, attempts=1)], "Why."
    )
    (event,) = TransactionEvent.objects.all()
    assert (event.transaction_id, event.status, event.why) == (first.id, "archived", "Why.")
    assert event.run == Run.objects.get()
    row = OfflineTransaction.objects.get(pk=first.id)
    assert row.finished is not None
    queue.save([replace(first, status=Status.PENDING)])
    row.refresh_from_db()
    assert row.finished is None
    assert [event.why for event in TransactionEvent.objects.order_by("pk")] == ["Why.", ""]


def test_a_new_one_may_begin_with_a_line_of_history(queue: DatabaseQueue) -> None:
    queue.add([make_transaction(status=Status.ARCHIVED)], "The server's values lost.")
    event = TransactionEvent.objects.get()
    assert (event.status, event.why) == ("archived", "The server's values lost.")


def test_the_history_names_who_decided(queue: DatabaseQueue) -> None:
    (item,) = saved(queue, make_transaction())
    connection = OfflineTransaction.objects.get().connection
    DatabaseQueue(connection, actor="ann@example.com").save(
        [replace(item, status=Status.ARCHIVED)], "Not wanted."
    )
    DatabaseQueue(connection).save([item], "Wanted after all.")
    found = TransactionEvent.objects.order_by("pk")
    assert [(event.why, event.actor, event.run) for event in found] == [
        ("Not wanted.", "ann@example.com", None),
        ("Wanted after all.", "", None),
    ]


def test_what_is_gone_stays_so_and_gets_no_history(queue: DatabaseQueue) -> None:
    gone, there = saved(queue, make_transaction(), make_transaction(first_version=5))
    OfflineTransaction.objects.filter(pk=gone.id).delete()
    queue.save([replace(item, status=Status.PROCESSED) for item in (gone, there)], "Delivered.")
    assert OfflineTransaction.objects.get().pk == there.id
    assert TransactionEvent.objects.get().transaction_id == there.id


def test_identical_errors_have_one_cause(queue: DatabaseQueue) -> None:
    def make_error(message: str, code: str = "1") -> Transaction:
        return make_transaction(status=Status.ERROR, code=code, message=message)

    saved(
        queue,
        make_error(f"Account {uuid.uuid4()} has 3 errors."),
        make_error(f"Account {uuid.uuid4()} has 14 errors."),
        make_error("Something else."),
        make_error(f"Account {uuid.uuid4()} has 3 errors.", "2"),
        make_transaction(message="Waits for its parent."),
    )
    rows = OfflineTransaction.objects.order_by("pk").values_list("cause", flat=True)
    first, same, other, coded, none = rows
    assert first == same
    assert len({first, other, coded}) == 3
    assert none == ""


def test_it_remembers_up_to_where_changes_were_collected(queue: DatabaseQueue) -> None:
    keys = [make_key(), make_key("contact")]
    assert queue.collected(keys) == {}
    queue.save_collected(keys[:1], 5)
    assert queue.collected(keys) == {keys[0]: 5}
    queue.save_collected(keys, 2**40)
    assert queue.collected(keys, hold=True) == dict.fromkeys(keys, 2**40)


def test_it_tells_when_the_connection_was_made(queue: DatabaseQueue) -> None:
    assert queue.connected == SyncedEntity.objects.first().connection.created  # type: ignore[union-attr]


def test_the_newest_change_that_was_not_delivered_waits(queue: DatabaseQueue) -> None:
    delivered, aside, gone = (str(uuid.uuid4()) for _ in range(3))
    saved(
        queue,
        make_transaction(client_id=delivered, status=Status.PROCESSED),
        make_transaction(client_id=aside, version=6, status=Status.PROCESSED),
        make_transaction(client_id=aside, first_version=6, status=Status.ARCHIVED),
        make_transaction(client_id=gone, action=Action.DELETE),
    )
    assert transactions.waiting(make_key(), [delivered, aside, gone]) == {
        aside: Waiting(9, is_set_aside=True),
        gone: Waiting(9, is_delete=True),
    }


def test_the_newest_is_that_of_the_newest_change_folded_in(queue: DatabaseQueue) -> None:
    record = str(uuid.uuid4())
    saved(
        queue,
        make_transaction(client_id=record, first_version=8, version=12, status=Status.ARCHIVED),
        make_transaction(client_id=record, first_version=10, version=10, status=Status.PROCESSED),
    )
    assert transactions.waiting(make_key(), [record]) == {record: Waiting(12, is_set_aside=True)}


def test_of_two_at_the_same_version_the_later_one_counts(queue: DatabaseQueue) -> None:
    earlier, later = str(uuid.uuid4()), str(uuid.uuid4())
    saved(
        queue,
        make_transaction(client_id=earlier, first_version=8, status=Status.ARCHIVED),
        make_transaction(client_id=earlier, first_version=4),
        make_transaction(client_id=later),
        make_transaction(client_id=later, status=Status.ARCHIVED),
    )
    assert transactions.waiting(make_key(), [earlier, later]) == {
        earlier: Waiting(9, is_set_aside=True),
        later: Waiting(9, is_set_aside=True),
    }


def test_values_of_the_server_that_lost_are_no_change_of_the_client(queue: DatabaseQueue) -> None:
    lost, refused = str(uuid.uuid4()), str(uuid.uuid4())
    saved(
        queue,
        make_transaction(client_id=lost, status=Status.PROCESSED),
        make_transaction(client_id=lost, version=12, status=Status.ARCHIVED, side=Side.SERVER),
        make_transaction(client_id=refused, status=Status.ERROR, side=Side.SERVER),
    )
    assert transactions.waiting(make_key(), [lost, refused]) == {refused: Waiting(9)}


def test_what_waits_is_told_of_the_records_that_were_asked_for(queue: DatabaseQueue) -> None:
    other = str(uuid.uuid4())
    saved(
        queue,
        make_transaction(),
        make_transaction(client_id=other),
        make_transaction(entity=make_key("contact"), version=12, action=Action.DELETE),
    )
    assert transactions.waiting(make_key(), [FIRST]) == {FIRST: Waiting(9)}


def test_it_tells_what_of_an_entity_waits(queue: DatabaseQueue) -> None:
    assert transactions.count_waiting(make_key()) == 0
    pair, *_ = saved(
        queue,
        make_transaction(action=Action.ASSOCIATE),
        make_transaction(action=Action.ASSOCIATE, status=Status.PROCESSED),
        make_transaction(status=Status.ERROR),
        make_transaction(status=Status.ARCHIVED),
    )
    assert transactions.count_waiting(make_key()) == 2
    assert transactions.waiting_pairs(make_key()) == [pair]
    assert transactions.count_waiting(make_key("contact")) == 0
    assert transactions.waiting_pairs(make_key("contact")) == []


def test_what_was_delivered_is_forgotten_after_its_time(queue: DatabaseQueue) -> None:
    old, recent, waiting, aside = saved(
        queue,
        make_transaction(status=Status.PROCESSED),
        make_transaction(status=Status.PROCESSED),
        make_transaction(),
        make_transaction(status=Status.ARCHIVED),
    )
    long_ago = NOW - PROCESSED_KEPT - timedelta(seconds=1)
    OfflineTransaction.objects.update(created=long_ago, finished=long_ago)
    OfflineTransaction.objects.filter(pk=recent.id).update(finished=NOW)
    assert forget_delivered(NOW) == 1
    left = set(OfflineTransaction.objects.values_list("pk", flat=True))
    assert left == {recent.id, waiting.id, aside.id}
    assert old.id not in left


def test_what_is_forgotten_goes_in_batches_and_is_counted(
    queue: DatabaseQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "_BATCH", 2)
    items = saved(queue, *[make_transaction(status=Status.PROCESSED) for _ in range(4)])
    just = NOW - PROCESSED_KEPT
    OfflineTransaction.objects.update(finished=just - timedelta(microseconds=1))
    OfflineTransaction.objects.filter(pk=items[1].id).update(finished=just)
    assert forget_delivered(NOW) == 3
    assert OfflineTransaction.objects.get().pk == items[1].id


@pytest.mark.django_db(transaction=True)
def test_what_waits_is_locked_inside_a_page(queue: DatabaseQueue) -> None:
    saved(queue, make_transaction())
    with transaction.atomic():
        assert queue.of_records(make_key(), [FIRST])
        with other_connection() as cursor:
            cursor.execute("SELECT id FROM syncjobs_offlinetransaction FOR UPDATE SKIP LOCKED")
            assert cursor.fetchall() == []
    assert queue.of_records(make_key(), [FIRST])
    with other_connection() as cursor:
        cursor.execute("SELECT id FROM syncjobs_offlinetransaction FOR UPDATE SKIP LOCKED")
        assert len(cursor.fetchall()) == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_else_can_collect_while_positions_are_held(queue: DatabaseQueue) -> None:
    look = "SELECT id FROM connections_connection FOR NO KEY UPDATE SKIP LOCKED"
    other = make_connection("other", entities=())
    with transaction.atomic():
        queue.collected([make_key()], hold=True)
        with other_connection() as cursor:
            cursor.execute(look)
            assert cursor.fetchall() == [(other.pk,)], "another connection's are not"
    queue.collected([make_key()])
    with other_connection() as cursor:
        cursor.execute(look)
        assert len(cursor.fetchall()) == 2


@pytest.mark.django_db(transaction=True)
def test_a_run_can_be_asked_for_while_positions_are_held(queue: DatabaseQueue) -> None:
    with transaction.atomic():
        queue.collected([make_key()], hold=True)
        with other_connection() as cursor:
            cursor.execute("SELECT id FROM connections_connection FOR KEY SHARE SKIP LOCKED")
            assert len(cursor.fetchall()) == 1, "rows that name the connection can be added"
