"""The right to work on a run: claimed, renewed and given up by conditional updates.

A lease ends at a time of the database's clock. Every claim raises the run's fence; whoever holds
an older fence can write nothing any more (`syncjobs.state` checks it before each write).
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now

from syncjobs.errors import Cancelled, LostLease
from syncjobs.models import Run

LEASE = timedelta(seconds=30)
HEARTBEAT = 10.0
MAX_CLAIMS = 10
"""A run that lost its worker this often takes the worker down with it: it is given up."""

logger = logging.getLogger(__name__)
_State = Run.State
_HELD = (_State.RUNNING, _State.CANCELLING)


def claimable() -> QuerySet[Run]:
    """Return the runs that a worker may claim now.

    Queued ones, if no run of the connection is under way and none waits longer; and those whose
    worker let its lease end.
    """
    others = Run.objects.filter(connection=OuterRef("connection")).exclude(pk=OuterRef("pk"))
    ahead = others.filter(
        Q(state__in=_HELD) | Q(state=_State.QUEUED, created__lt=OuterRef("created"))
    )
    return Run.objects.filter(
        Q(state=_State.QUEUED) & ~Exists(ahead) | Q(state__in=_HELD, lease_until__lt=Now())
    )


def claim(run_id: UUID, worker: str) -> Run | None:
    """Take the run over, or return None because somebody else works on it or it is not its turn.

    A run that is being cancelled stays so; it is claimed in order to be ended.
    """
    try:
        with transaction.atomic():
            taken = (
                claimable()
                .filter(pk=run_id)
                .update(
                    state=Case(
                        When(state=_State.CANCELLING, then=Value(_State.CANCELLING)),
                        default=Value(_State.RUNNING),
                    ),
                    fence=F("fence") + 1,
                    worker=worker[:80],
                    started=Coalesce("started", Now()),
                    lease_until=_end(),
                    woken=None,
                )
            )
    except IntegrityError:  # two queued runs of one connection were claimed at once
        return None
    return Run.objects.select_related("connection").get(pk=run_id) if taken else None


def renew(run: Run) -> bool:
    """Prolong the lease; False means that the run is not ours any more."""
    return bool(_held(run).update(lease_until=_end()))


def check(run: Run, message: str | None = None) -> None:
    """Raise LostLease or Cancelled if the run must not go on; else renew it.

    `message`, if given, is what the run's page shows from now on.
    """
    said = {} if message is None else {"message": message}
    if _held(run).update(lease_until=_end(), **said):
        state = Run.objects.values_list("state", flat=True).get(pk=run.pk)
        if state == _State.CANCELLING:
            raise Cancelled("Cancelled by request.")
        return
    raise LostLease(f"Another worker holds run {run.pk} now.")


def release(run: Run) -> None:
    """Let another worker go on at once, because this process is stopping."""
    _held(run).update(lease_until=Now(), woken=None)


def finish(run: Run, state: Run.State, message: str = "") -> bool:
    """End the run; False means that it is not ours any more and nothing was written.

    A run that somebody is cancelling can only end cancelled or failed.
    """
    interrupted = _State.FAILED if state == _State.FAILED else _State.CANCELLED
    ended = _held(run).update(
        state=Case(When(state=_State.CANCELLING, then=Value(interrupted)), default=Value(state)),
        message=message,
        finished=Now(),
        lease_until=None,
    )
    return bool(ended)


class Heartbeat:
    """Renews the lease of a run from a thread with a database connection of its own.

    The engine may be busy in one page for longer than a lease lasts. The thread ends by itself
    when the run is not ours any more; the engine then meets LostLease at its next write.
    """

    def __init__(self, run: Run) -> None:
        """Remember whose lease it is."""
        self._run = run
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{run.pk}", daemon=True)

    def __enter__(self) -> Self:
        """Start beating."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop beating and wait until the thread's database connection is closed."""
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._ended.wait(HEARTBEAT) and self._renewed():
                pass
        finally:
            connection.close()

    def _renewed(self) -> bool:
        try:
            return renew(self._run)
        except DatabaseError:
            logger.warning("The lease of run %s could not be renewed; trying again.", self._run.pk)
            connection.close()
            return True


def _held(run: Run) -> QuerySet[Run]:
    return Run.objects.filter(pk=run.pk, fence=run.fence, state__in=_HELD)


def _end() -> Combinable:
    return ExpressionWrapper(Now() + Value(LEASE), output_field=DateTimeField())
