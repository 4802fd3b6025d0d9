"""When jobs come due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from organizations.errors import InvalidRequest
from syncjobs import schedule
from syncjobs.models import SyncJob


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(after: str, **values: Any) -> datetime:
    return schedule.next_due(SyncJob(**values), at(after))


@pytest.mark.parametrize(
    ("values", "after", "expected"),
    [
        ({"frequency": "minutes", "every": 15}, "2026-03-01 10:07", "2026-03-01 10:15"),
        ({"frequency": "minutes", "every": 15}, "2026-03-01 10:15", "2026-03-01 10:30"),
        ({"frequency": "minutes", "every": 90}, "2026-03-01 00:00", "2026-03-01 01:30"),
        ({"frequency": "hours", "every": 1, "minute": 20}, "2026-03-01 10:19", "2026-03-01 10:20"),
        ({"frequency": "hours", "every": 6, "minute": 5}, "2026-03-01 10:00", "2026-03-01 12:05"),
        ({"frequency": "daily", "hour": 1, "minute": 0}, "2026-03-01 00:59", "2026-03-01 01:00"),
        ({"frequency": "daily", "hour": 1, "minute": 0}, "2026-03-01 01:00", "2026-03-02 01:00"),
        ({"frequency": "daily", "hour": 2, "minute": 30}, "2026-03-28 12:00", "2026-03-29 02:30"),
    ],
)
def test_it_comes_due_at(values: dict[str, Any], after: str, expected: str) -> None:
    assert due(after, **values) == at(expected)


def test_it_keeps_equal_distances_where_the_hour_is_no_multiple() -> None:
    job = SyncJob(frequency="minutes", every=7)
    times = [schedule.next_due(job, at("2026-03-01 09:58"))]
    for _ in range(20):
        times.append(schedule.next_due(job, times[-1]))
    gaps = {later - earlier for earlier, later in zip(times, times[1:], strict=False)}
    assert gaps == {timedelta(minutes=7)}


def test_it_reads_times_of_other_zones_as_instants() -> None:
    job = SyncJob(frequency="daily", hour=1, minute=0)
    after = datetime.fromisoformat("2026-03-01T02:30:00+02:00")
    assert schedule.next_due(job, after) == at("2026-03-01 01:00")


@pytest.mark.parametrize(
    ("values", "element", "text"),
    [
        ({"frequency": "minutes", "every": 0}, "every", "1 to 1,440 minutes"),
        ({"frequency": "hours", "every": 169}, "every", "1 to 168 hours"),
        ({"frequency": "daily", "hour": 24}, "hour", "0 to 23"),
        ({"frequency": "daily", "minute": 60}, "minute", "0 to 59"),
    ],
)
def test_it_refuses_a_schedule_that_makes_no_sense(
    values: dict[str, Any], element: str, text: str
) -> None:
    with pytest.raises(InvalidRequest, match=text) as caught:
        schedule.check(SyncJob(**values))
    assert caught.value.element == element


def test_it_forgets_the_time_of_an_inactive_job() -> None:
    job = SyncJob(frequency="minutes", every=5, is_active=True)
    schedule.apply(job, at("2026-03-01 10:01"))
    assert job.next_due == at("2026-03-01 10:05")
    job.is_active = False
    schedule.apply(job, at("2026-03-01 10:01"))
    assert job.next_due is None
