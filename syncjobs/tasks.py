"""Celery's side: it only wakes. The database decides who works (`syncjobs.lease`)."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from syncjobs import periodic, retention, runner


@shared_task(ignore_result=True)
def wake(run_id: str) -> None:
    """Carry out a run, unless another worker does."""
    runner.work(UUID(run_id))


@shared_task(ignore_result=True)
def tick() -> None:
    """Start what is due and wake what waits; called every few seconds."""
    periodic.tick()


@shared_task(ignore_result=True)
def retain() -> None:
    """Remove history whose time is over; called every day."""
    retention.retain()
