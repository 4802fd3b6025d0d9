"""Celery's side: it only wakes. The database decides who works (`syncjobs.lease`)."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from syncjobs import alerts, hooks, periodic, retention, runner
from syncjobs import deliver as delivery


@shared_task(ignore_result=True)
def wake(run_id: str) -> None:
    """Carry out a run, unless another worker does."""
    runner.work(UUID(run_id))


@shared_task(ignore_result=True)
def deliver(connection_id: str) -> None:
    """Deliver what a client's instant entities have, unless somebody is at it."""
    delivery.deliver(UUID(connection_id))


@shared_task(ignore_result=True)
def call_hooks(organization_id: str) -> None:
    """Tell the web hooks of a hosted organization what happened."""
    hooks.call(UUID(organization_id))


@shared_task(ignore_result=True)
def tick() -> None:
    """Start what is due and wake what waits; called every few seconds."""
    periodic.tick()


@shared_task(ignore_result=True)
def watch() -> None:
    """Open and close alerts, and tell of them; called every minute."""
    alerts.look()


@shared_task(ignore_result=True)
def retain() -> None:
    """Remove history whose time is over; called every day."""
    retention.retain()
