"""When a job comes due next; all times are UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from organizations.errors import InvalidRequest
from syncjobs.models import SyncJob

_Frequency = SyncJob.Frequency
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIMITS = {_Frequency.MINUTES: 1440, _Frequency.HOURS: 168}


def check(job: SyncJob) -> None:
    """Raise InvalidRequest naming the field whose value no schedule can have."""
    limit = _LIMITS.get(_Frequency(job.frequency))
    if limit is not None and not 1 <= job.every <= limit:
        raise InvalidRequest(f"Every must be 1 to {limit:,} {job.frequency}.", element="every")
    if not 0 <= job.hour <= 23:
        raise InvalidRequest("Hour must be 0 to 23 (UTC).", element="hour")
    if not 0 <= job.minute <= 59:
        raise InvalidRequest("Minute must be 0 to 59.", element="minute")


def next_due(job: SyncJob, after: datetime) -> datetime:
    """Return the first time later than `after`, whether or not the job is active.

    Intervals lie on a grid that starts at midnight UTC (hours: at their minute) of 1 January
    1970. Cron could not say "every 7 minutes": its */7 starts anew each hour.
    """
    if job.frequency == _Frequency.DAILY:
        return next(CronSim(f"{job.minute} {job.hour} * * *", after.astimezone(UTC)))
    if job.frequency == _Frequency.MINUTES:
        return _on_grid(timedelta(minutes=job.every), after, _EPOCH)
    return _on_grid(timedelta(hours=job.every), after, _EPOCH + timedelta(minutes=job.minute))


def interval(job: SyncJob, now: datetime) -> timedelta:
    """Return the time between the job's next two runs."""
    first = next_due(job, now)
    return next_due(job, first) - first


def apply(job: SyncJob, now: datetime) -> None:
    """Set `next_due` of a job that was made, changed, activated or deactivated; not saved."""
    check(job)
    job.next_due = next_due(job, now) if job.is_active else None


def _on_grid(step: timedelta, after: datetime, anchor: datetime) -> datetime:
    return after + step - (after - anchor) % step
