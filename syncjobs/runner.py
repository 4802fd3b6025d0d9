"""One worker and one run: claim it, keep the lease alive, carry it out, write how it ended."""

from __future__ import annotations

import logging
import os
import socket
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from connections.connect.errors import ConnectError
from connections.errors import ConnectorError
from organizations.errors import OrganizationError
from syncjobs import dispatch, lease
from syncjobs.errors import Cancelled, LostLease, SyncError
from syncjobs.kinds import KINDS, Outcome
from syncjobs.models import Run, RunError

logger = logging.getLogger(__name__)


def work(run_id: UUID) -> None:
    """Carry the run out, unless somebody else works on it, or it is not its turn.

    Called any number of times, by any number of workers, it is carried out once. A process that
    is told to stop gives the lease back, so that another goes on at the last page; so does one
    that lost its database. One that is killed lets the lease end.
    """
    run = lease.claim(run_id, worker_name())
    if run is None:
        return
    try:
        with lease.Heartbeat(run):
            outcome = _carry_out(run)
    except LostLease:
        logger.warning("Run %s is in the hands of another worker now.", run.pk)
        return
    except (OperationalError, InterfaceError):
        logger.exception("Run %s lost the database; a worker will go on with it.", run.pk)
        connection.close()
        lease.release(run)
        return
    except (KeyboardInterrupt, SystemExit):
        lease.release(run)
        raise
    if _finish(run, outcome):
        _go_on(run, outcome)
        dispatch.wake_next(run.connection_id)


def _go_on(run: Run, outcome: Outcome) -> None:
    """Start what the run's job wants to be done after it."""
    was_carried = outcome.state in (Run.State.SUCCEEDED, Run.State.PARTLY)
    if run.kind == Run.Kind.SYNC and was_carried and run.job is not None and run.job.verifies:
        names = run.options.get("entities", ())
        dispatch.start_verify(run.connection, reason="job", actor=run.job.name, entities=names)


@transaction.atomic
def _finish(run: Run, outcome: Outcome) -> bool:
    is_ours = lease.finish(run, outcome.state, outcome.message)
    if is_ours and outcome.state == Run.State.CANCELLED:
        dispatch.was_cancelled(run)
    if is_ours and outcome.code:
        RunError.objects.create(run=run, code=outcome.code[:60], message=outcome.message)
    return is_ours


def worker_name() -> str:
    """Return host and process, for the run's page and the log."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _carry_out(run: Run) -> Outcome:
    try:
        if run.state == Run.State.CANCELLING:
            raise Cancelled("Cancelled by request.")
        if run.fence > lease.MAX_CLAIMS:
            return Outcome(Run.State.FAILED, _given_up(run), "WorkerLost")
        return KINDS[run.kind](run)
    except (LostLease, OperationalError, InterfaceError):
        raise
    except Cancelled as error:
        return Outcome(Run.State.CANCELLED, str(error))
    except (ConnectorError, ConnectError, OrganizationError, SyncError) as error:
        code = getattr(error, "code", "") or type(error).__name__
        return Outcome(Run.State.FAILED, str(error), code)
    except Exception:
        logger.exception("Run %s of '%s' failed.", run.pk, run.connection.name)
        return Outcome(
            Run.State.FAILED,
            f"An unexpected error stopped the run. The log of {worker_name()} tells more; "
            f"look for {run.pk}.",
            "Unexpected",
        )


def _given_up(run: Run) -> str:
    return (
        f"The run lost its worker {run.fence - 1} times and was given up. Look at the workers' "
        "logs and memory, then start it again; it goes on at the last page."
    )
