"""What a run shows while it goes on."""

from __future__ import annotations

import pytest

from syncjobs import lease, reporter
from syncjobs.engine.values import Counts, Problem
from syncjobs.errors import Cancelled, LostLease
from syncjobs.models import Run, RunEntity
from syncjobs.reporter import DatabaseReporter
from tests.syncjobs.making import make_connection, make_run

pytestmark = pytest.mark.django_db


def make_claimed_run() -> Run:
    run = lease.claim(make_run(make_connection()).pk, "worker")
    assert run is not None
    return run


def test_it_shows_entities_in_the_order_they_are_carried() -> None:
    run = make_claimed_run()
    RunEntity.objects.create(run=run, name="account", position=0, read=7)
    DatabaseReporter(run, look_every=0).run_started(["systemuser", "account"])
    assert list(run.entities.values_list("name", "read")) == [("systemuser", 0), ("account", 7)]


def test_it_writes_counts_as_they_grow() -> None:
    run = make_claimed_run()
    told = DatabaseReporter(run, look_every=0)
    told.run_started(["account"])
    told.entity_started("account", full=True, expected=10)
    row = run.entities.get()
    assert (row.state, row.full, row.expected) == ("running", True, 10)
    told.progress("account", Counts(read=5, created=4, conflicts=1))
    told.progress("account", Counts(read=2, kept=2, deleted=1))
    told.entity_finished("account")
    row = run.entities.get()
    assert (row.state, row.read, row.created, row.deleted) == ("done", 7, 4, 1)
    assert (row.conflicts, row.kept) == (1, 2)
    assert row.seconds > 0


def test_it_adds_to_what_an_earlier_worker_counted() -> None:
    run = make_claimed_run()
    for _ in range(2):
        told = DatabaseReporter(run, look_every=0)
        told.entity_started("account", full=False, expected=None)
        told.progress("account", Counts(read=3, updated=3))
        told.entity_finished("account")
    row = run.entities.get()
    assert (row.read, row.updated) == (6, 6)


def test_it_says_why_an_entity_failed_and_forgets_it_when_begun_again() -> None:
    run = make_claimed_run()
    told = DatabaseReporter(run, look_every=0)
    told.entity_finished("account", failed="Too many requests.")
    row = run.entities.get()
    assert (row.state, row.message) == ("failed", "Too many requests.")
    told.entity_started("account", full=False, expected=None)
    assert run.entities.get().message == ""


def test_it_keeps_problems_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporter, "MOST_ERRORS", 2)
    run = make_claimed_run()
    told = DatabaseReporter(run, look_every=0)
    for number in range(3):
        told.problem(Problem(entity="account", record=str(number), code="c" * 99, message="No."))
    errors = list(run.errors.values_list("record", "code", "message"))
    assert errors == [("0", "c" * 60, "No."), ("1", "c" * 60, "No.")]


def test_it_stops_a_run_that_is_being_cancelled() -> None:
    run = make_claimed_run()
    told = DatabaseReporter(run, look_every=0)
    told.checkpoint()
    Run.objects.update(state=Run.State.CANCELLING)
    with pytest.raises(Cancelled, match="Cancelled by request"):
        told.checkpoint()


@pytest.mark.parametrize("change", [{"fence": 9}, {"state": Run.State.FAILED}])
def test_it_stops_when_the_run_is_not_ours(change: dict[str, object]) -> None:
    told = DatabaseReporter(make_claimed_run())
    Run.objects.update(**change)
    with pytest.raises(LostLease):
        told.checkpoint()


def test_it_renews_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_claimed_run()
    told = DatabaseReporter(run, look_every=0)
    until = Run.objects.get().lease_until
    told.checkpoint()
    assert Run.objects.get().lease_until == until
    monkeypatch.setattr(reporter, "_SECONDS_BETWEEN_RENEWALS", 0)
    Run.objects.update(lease_until=None)
    told.checkpoint()
    assert Run.objects.get().lease_until is not None
