"""Who works on a run: claims, fences, renewals, takeovers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from syncjobs import dispatch, lease
from syncjobs.errors import Cancelled, LostLease
from syncjobs.models import Run
from tests.syncjobs.making import make_connection, make_run

pytestmark = pytest.mark.django_db(transaction=True)


def claimed(run: Run, worker: str = "a") -> Run:
    found = lease.claim(run.pk, worker)
    assert found is not None
    return found


def let_end(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Make all calls at the same time, each on its own database connection."""
    barrier = Barrier(len(calls))

    def call(function: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return function()
        finally:
            database.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def test_it_gives_a_run_to_one_of_many_workers() -> None:
    run = make_run(make_connection())
    found = at_once([partial(lease.claim, run.pk, name) for name in "abcdef"])
    winners = [item for item in found if item is not None]
    assert len(winners) == 1
    run.refresh_from_db()
    assert (run.state, run.fence, run.worker) == ("running", 1, winners[0].worker)
    assert run.started is not None


def test_it_lets_one_run_of_a_connection_run() -> None:
    connection = make_connection()
    runs = [make_run(connection) for _ in range(4)]
    at_once([partial(lease.claim, run.pk, "w") for run in runs])
    assert list(Run.objects.filter(state="running")) == [runs[0]]


def test_it_lets_two_connections_run_at_once() -> None:
    claimed(make_run(make_connection("field")))
    claimed(make_run(make_connection("south")))
    assert Run.objects.filter(state="running").count() == 2


def test_it_keeps_the_order_of_the_queue() -> None:
    connection = make_connection()
    first, second = make_run(connection), make_run(connection)
    assert lease.claim(second.pk, "a") is None
    lease.finish(claimed(first), Run.State.SUCCEEDED)
    assert lease.claim(second.pk, "a") is not None


def test_it_keeps_a_run_whose_lease_is_valid() -> None:
    run = claimed(make_run(make_connection()))
    assert lease.claim(run.pk, "b") is None


def test_it_takes_over_when_the_lease_has_ended() -> None:
    old = claimed(make_run(make_connection()))
    let_end(old)
    new = claimed(old, "b")
    assert (new.fence, new.worker, new.started) == (2, "b", old.started)
    assert not lease.renew(old)
    assert not lease.finish(old, Run.State.SUCCEEDED)
    with pytest.raises(LostLease, match="Another worker"):
        lease.check(old)
    new.refresh_from_db()
    assert new.state == Run.State.RUNNING


def test_it_renews_and_shows_a_message() -> None:
    run = claimed(make_run(make_connection()))
    let_end(run)
    lease.check(run, "Half-way.")
    run.refresh_from_db()
    assert run.lease_until is not None
    assert run.lease_until > timezone.now()
    assert run.message == "Half-way."


def test_it_tells_the_worker_to_stop() -> None:
    run = claimed(make_run(make_connection()))
    dispatch.cancel(run)
    with pytest.raises(Cancelled, match="by request"):
        lease.check(run)


def test_it_leaves_a_cancelled_run_to_be_ended_by_another_worker() -> None:
    run = claimed(make_run(make_connection()))
    dispatch.cancel(run)
    let_end(run)
    assert claimed(run, "b").state == Run.State.CANCELLING


@pytest.mark.parametrize(
    ("wanted", "state"), [("succeeded", "cancelled"), ("partly", "cancelled"), ("failed", "failed")]
)
def test_it_ends_a_run_that_is_being_cancelled(wanted: str, state: str) -> None:
    run = claimed(make_run(make_connection()))
    dispatch.cancel(run)
    assert lease.finish(run, Run.State(wanted))
    run.refresh_from_db()
    assert run.state == state
    assert run.lease_until is None


def test_it_gives_the_lease_back() -> None:
    run = claimed(make_run(make_connection()))
    lease.release(run)
    assert claimed(run, "b").fence == 2


def test_it_beats_until_the_run_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT", 0.01)
    run = claimed(make_run(make_connection()))
    let_end(run)
    heartbeat = lease.Heartbeat(run)
    with heartbeat:
        while Run.objects.get(pk=run.pk).lease_until < timezone.now():  # type: ignore[operator]
            pass
        Run.objects.filter(pk=run.pk).update(fence=7)
        heartbeat._thread.join(60)
        assert not heartbeat._thread.is_alive()
