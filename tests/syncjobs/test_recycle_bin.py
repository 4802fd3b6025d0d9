"""Deleted client records come back with their ids, apart from the server until somebody chooses."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from connections.models import Connection
from organizations.models import ChangeLog, DeletedRecord
from syncjobs import recycle_bin, retention
from syncjobs.models import HeldDeletions, LeftBehind, Link, OfflineTransaction, Run, RunEntity
from tests.syncjobs.making import client_store, make_run, names, server_store
from tests.syncjobs.test_held import delete, make_guarded, work

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("calls", "no_organizations_left"),
]
FIRST, SECOND = UUID(int=1), UUID(int=2)


def make_deleted() -> Connection:
    """A connection whose run deleted two of twelve client records."""
    connection = make_guarded()
    delete(connection, 1, 2)
    assert work(connection).entities.get().deleted == 2
    return connection


def restore(connection: Connection, *records: UUID) -> recycle_bin.Restored:
    rows = [row for row in recycle_bin.deleted_records(connection) if row.record in records]
    return recycle_bin.restore(connection, rows, actor="ann")


def test_it_is_searched_by_entity_name_and_id() -> None:
    connection = make_deleted()
    everything = recycle_bin.deleted_records(connection)
    assert {row.record for row in everything} == {FIRST, SECOND}
    assert not recycle_bin.deleted_records(connection, entity="contact")
    for search in ("count 2", "ACCOUNT 2", str(SECOND)):
        assert recycle_bin.deleted_records(connection, entity="account", search=search).get()
    organization = client_store(connection).organization
    primary = recycle_bin.primary_names(organization, ["account", "nothing"])
    assert sorted(recycle_bin.name_of(row, primary) for row in everything) == [
        "account 1",
        "account 2",
    ]


def test_a_restored_record_stays_and_goes_nowhere_until_somebody_chooses() -> None:
    connection = make_deleted()
    assert restore(connection, FIRST, SECOND).count == 2
    assert names(client_store(connection))[str(FIRST)] == "account 1"
    log = ChangeLog.objects.filter(record=FIRST, action="create").latest("at")
    assert (log.actor, log.origin) == ("ann", str(connection.pk))
    link = Link.objects.get(server_id=FIRST)
    assert (link.client_id, link.state, link.client_version) == (FIRST, 1, log.version)
    before = client_store(connection).row_version()
    for _ in range(2):
        assert work(connection).state == "succeeded"
    assert client_store(connection).row_version() == before
    assert not OfflineTransaction.objects.exists(), "it is not made on the server"
    assert str(FIRST) not in names(server_store(connection))
    row = recycle_bin.undecided(connection).get()
    assert [line["name"] for line in row.sample] == ["account 1", "account 2"]


def test_one_is_kept_and_the_other_follows_the_server_again() -> None:
    connection = make_deleted()
    restore(connection, FIRST, SECOND)
    assert recycle_bin.keep(connection, "account", [FIRST], by="ann") == 1
    kept = HeldDeletions.objects.get(decided_by="ann")
    assert (kept.server_ids, kept.reason) == ([FIRST], recycle_bin.KEPT)
    assert recycle_bin.follow(connection, "account", [SECOND]) == 1
    assert not recycle_bin.undecided(connection)
    assert set(LeftBehind.objects.values_list("server_id", flat=True)) == {SECOND}
    assert work(connection).entities.get().deleted == 1
    assert {str(FIRST), str(SECOND)} & names(client_store(connection)).keys() == {str(FIRST)}
    before = client_store(connection).row_version()
    work(connection)
    assert client_store(connection).row_version() == before
    assert not LeftBehind.objects.exists()


def test_what_the_server_has_again_takes_its_values() -> None:
    connection = make_deleted()
    restore(connection, FIRST)
    server_store(connection).create("account", {"name": "Server's"}, id=str(FIRST))
    work(connection)
    assert names(client_store(connection))[str(FIRST)] == "Server's"
    assert Link.objects.get(server_id=FIRST).state == 0
    assert not recycle_bin.undecided(connection), "nothing is left to choose"


def test_choosing_what_does_not_wait_does_nothing() -> None:
    connection = make_deleted()
    assert recycle_bin.keep(connection, "account", [FIRST], by="ann") == 0
    restore(connection, FIRST)
    assert recycle_bin.follow(connection, "account", [SECOND]) == 0
    assert recycle_bin.undecided(connection).get().server_ids == [FIRST]


def test_one_that_is_there_again_costs_only_itself() -> None:
    connection = make_deleted()
    client_store(connection).create("account", {"name": "Mine"}, id=str(FIRST))
    done = restore(connection, FIRST, SECOND)
    assert done.count == 1
    assert done.failed[0].startswith(f"account {FIRST}: ")
    assert Link.objects.filter(server_id=SECOND).exists()
    assert not Link.objects.filter(server_id=FIRST).exists()


def test_what_a_user_deleted_comes_back_as_a_change_of_a_user() -> None:
    connection = make_guarded()
    client_store(connection).delete("account", str(FIRST), actor="bob")
    assert restore(connection, FIRST).count == 1
    log = ChangeLog.objects.filter(record=FIRST, action="create").latest("at")
    assert (log.actor, log.origin) == ("ann", "")
    assert not recycle_bin.undecided(connection)
    work(connection)
    assert names(client_store(connection)) == names(server_store(connection))
    assert str(FIRST) in names(server_store(connection))


def test_it_is_emptied_after_its_days() -> None:
    connection = make_deleted()
    Connection.objects.update(recycle_days=3)
    DeletedRecord.objects.filter(record=FIRST).update(at=timezone.now() - timedelta(days=4))
    retention.retain()
    client, server = client_store(connection).organization, server_store(connection).organization
    assert [row.record for row in client.recycle_bin.all()] == [SECOND]
    left = {row.record for row in server.recycle_bin.all()}
    assert left == {FIRST, SECOND}, "servers that are hosted here keep theirs"


def test_a_run_that_deleted_is_kept_as_long_as_its_deletions_count() -> None:
    connection = make_guarded()
    job = connection.jobs.create(keep_logs=False)
    finished = timezone.now() - timedelta(hours=20)
    runs = [make_run(connection, job=job, state="succeeded", finished=finished) for _ in range(2)]
    RunEntity.objects.create(run=runs[0], name="account", left=1)
    retention.retain()
    assert set(Run.objects.filter(job=job)) == {runs[0]}
    retention.retain(timezone.now() + timedelta(hours=5))
    assert not Run.objects.filter(job=job).exists()
