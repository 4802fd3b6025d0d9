"""The one place where runs are started, woken and cancelled.

A run is a row first: it is written in the caller's transaction, and only after commit a worker is
called through Celery. A call that is lost, or made twice, changes nothing: the periodic tick calls
again, and the lease decides who works (`syncjobs.lease`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from celery import current_app
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, Value, When
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError

from connections.connect import service
from connections.models import Connection
from organizations.errors import InvalidRequest
from syncjobs import lease, plans
from syncjobs.models import Run, SyncJob

PERMISSION = "syncjobs.add_run"
"""What a user needs to start and cancel runs by hand, whichever door they use."""

WAKE_TASK = "syncjobs.tasks.wake"
WAKE_EXPIRES = 30
"""Seconds after which a call that no worker has taken is worthless; the tick repeats it."""

logger = logging.getLogger(__name__)


def start(
    connection: Connection,
    kind: str,
    *,
    reason: str,
    user: User | None = None,
    actor: str = "",
    options: Mapping[str, Any] | None = None,
    job: SyncJob | None = None,
    inline: bool = False,
) -> Run:
    """Write a run of that `Run.Kind` and call a worker after commit.

    A run of the same kind and options that still waits is returned again: two of them would do
    the same. Behind any other unfinished run of the connection the new one waits its turn.
    `inline`: no worker is called, because the caller will carry the run out itself; if it does
    not, the tick calls one.
    """
    with transaction.atomic():
        # Two doors at once must not both find the queue empty.
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        same = {"connection": connection, "kind": kind, "options": dict(options or {})}
        run = Run.objects.filter(**same, state=Run.State.QUEUED).first()
        if run is None:
            run = Run.objects.create(
                **same,
                reason=reason,
                user=user,
                actor=actor,
                job=job,
                woken=timezone.now() if inline else None,
            )
        if not inline:
            transaction.on_commit(partial(wake, run.pk))
    return run


def start_sync(
    connection: Connection,
    *,
    reason: str,
    entities: Iterable[str] = (),
    dry_run: bool = False,
    full: bool = False,
    user: User | None = None,
    actor: str = "",
    job: SyncJob | None = None,
    inline: bool = False,
) -> Run:
    """Start Sync All, or only of these entities.

    Raises InvalidRequest (element `Entities`) for an entity that is not enabled.
    """
    names = sorted(set(entities))
    check_enabled(connection, names)
    options = {"entities": names, "dry_run": dry_run, "full": full}
    return start(
        connection,
        Run.Kind.SYNC,
        reason=reason,
        user=user,
        actor=actor,
        options=options,
        job=job,
        inline=inline,
    )


def start_apply(
    connection: Connection,
    plan: str | UUID,
    *,
    reason: str,
    user: User | None = None,
    actor: str = "",
    inline: bool = False,
) -> Run:
    """Start Sync All that carries out the plan of that dry run and nothing else.

    Raises InvalidRequest (element `Plan`) for a plan that cannot be applied, or (element
    `Entities`) if one of its entities is enabled no longer.
    """
    options = plans.options(plans.find(connection, plan))
    check_enabled(connection, options["entities"])
    return start(
        connection,
        Run.Kind.SYNC,
        reason=reason,
        user=user,
        actor=actor,
        options=options,
        inline=inline,
    )


def start_verify(
    connection: Connection,
    *,
    reason: str,
    entities: Iterable[str] = (),
    quick: bool = False,
    budget: int | None = None,
    user: User | None = None,
    actor: str = "",
    job: SyncJob | None = None,
    inline: bool = False,
) -> Run:
    """Start comparing both sides of all enabled entities, or of these; raises as `start_sync`.

    `quick`: by versions, where that proves it; `budget`: requests to the server, None as the
    connection says.
    """
    names = sorted(set(entities))
    check_enabled(connection, names)
    options: dict[str, Any] = {"entities": names}
    options |= {"quick": True} if quick else {}
    options |= {} if budget is None else {"budget": budget}
    return start(
        connection,
        Run.Kind.VERIFY,
        reason=reason,
        user=user,
        actor=actor,
        options=options,
        job=job,
        inline=inline,
    )


def check_enabled(connection: Connection, names: Iterable[str]) -> None:
    """Raise InvalidRequest naming the entities that this connection does not carry."""
    wanted = set(names)
    enabled = connection.entities.filter(name__in=wanted, enabled=True)
    missing = sorted(wanted - set(enabled.values_list("name", flat=True)))
    if missing:
        raise InvalidRequest(
            f"Not enabled for '{connection.name}': {', '.join(missing)}. "
            "Enable them first, or leave them out.",
            element="Entities",
        )


def cancel(run: Run) -> bool:
    """Ask the run to stop; False means that it had ended already.

    One that waits is cancelled at once. One under way stops at the end of its page.
    """
    changed = Run.objects.filter(pk=run.pk, state__in=Run.ACTIVE).update(
        state=Case(
            When(state=Run.State.QUEUED, then=Value(Run.State.CANCELLED)),
            default=Value(Run.State.CANCELLING),
        ),
        finished=Case(When(state=Run.State.QUEUED, then=Now())),
    )
    run.refresh_from_db()
    if run.state == Run.State.CANCELLED:
        was_cancelled(run)
        wake_next(run.connection_id)
    return bool(changed)


def was_cancelled(run: Run) -> None:
    """Leave a sentence where a run that was cancelled leaves something half done."""
    if run.kind == Run.Kind.CONNECT:
        service.cancelled(run.connection)


def wake(run_id: UUID) -> None:
    """Call a worker to the run. Without a broker nothing is lost: the tick calls again."""
    Run.objects.filter(pk=run_id).update(woken=Now())
    try:
        current_app.send_task(
            WAKE_TASK, (str(run_id),), expires=WAKE_EXPIRES, ignore_result=True, retry=False
        )
    except OperationalError:
        logger.warning("No worker could be called to run %s; it waits for the tick.", run_id)


def wake_next(connection_id: UUID) -> None:
    """Call a worker to the run of the connection whose turn it is now, if there is one."""
    following = lease.claimable().filter(connection_id=connection_id).order_by("created").first()
    if following is not None:
        transaction.on_commit(partial(wake, following.pk))
