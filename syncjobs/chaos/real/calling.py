"""Runs started as by a button, and calls to workers: late, twice, in any order, or never.

A call only wakes (design 4): who comes finds in the database what is to be done, and whether it is
his. So a call to a run that ended, or that another worker has, does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from syncjobs import dispatch
from syncjobs.chaos.oracle import Violation
from syncjobs.chaos.program import Step
from syncjobs.chaos.real.mail import Call
from syncjobs.chaos.real.workers import KILLED, LOST
from syncjobs.chaos.real.world import RealWorld
from syncjobs.chaos.weather import Fault
from syncjobs.models import Run

_PLACES, _STATEMENTS = 40, 500
"""How many places, or statements, ahead something may strike."""

_TICK = "syncjobs.tasks.tick"
_REASON = "chaos"


def act(world: RealWorld, step: Step) -> Sequence[Violation]:
    """Do what the step says."""
    return _ACTS[step.kind](world, step)


def deliver(world: RealWorld, call: Call) -> Sequence[Violation]:
    """Let a worker have a call; it must do nothing where nothing is to be done."""
    if not world.is_over(call):
        world.call(call)
        return ()
    world.weather.count("task again")
    before = _all(world)
    run = world.call(call)
    if run.ended or _all(world) != before:
        return [Violation("I4", f"Called to a run that had ended, a worker did something. {run}")]
    return ()


def _all(world: RealWorld) -> object:
    """Return what is another as soon as anything was written, or a run was claimed."""
    runs = world.connection.runs.order_by("pk").values_list("pk", "state", "fence")
    return world.moved(), list(runs)


def _start(world: RealWorld, step: Step) -> Sequence[Violation]:
    connection, is_full = world.connection, step.what % 4 == 0
    if step.how % 6 == 0:
        dispatch.start_verify(connection, reason=_REASON)
    elif step.how % 6 == 1:
        dispatch.start(connection, Run.Kind.DELIVER, reason=_REASON)
    else:
        is_dry = step.how % 6 == 2
        dispatch.start_sync(connection, reason=_REASON, full=is_full, dry_run=is_dry)
    return ()


def _task(world: RealWorld, step: Step) -> Sequence[Violation]:
    call = _taken(world, step)
    if step.what % 2:
        world.end_leases()
    return () if call is None else deliver(world, call)


def _task_meanwhile(world: RealWorld, step: Step) -> Sequence[Violation]:
    def come() -> None:
        call = _taken(world, step)
        if call is not None:
            world.late += deliver(world, call)

    world.weather.plan(Fault.CALL, 1 + step.which % _PLACES, come)
    return ()


def _taken(world: RealWorld, step: Step) -> Call | None:
    calls = world.mail.fetch()
    if not calls:
        return None
    place = step.which % len(calls)
    # What is left here comes again.
    return calls[place] if step.how % 3 == 0 else calls.pop(place)


def _tick(world: RealWorld, step: Step) -> Sequence[Violation]:
    """Let the tick find what waits, as if it had waited for long."""
    world.connection.runs.update(woken=None)
    world.call(Call(_TICK, ""))
    return ()


def _cancel(world: RealWorld, step: Step) -> Sequence[Violation]:
    """Cancel what waits or goes on, now or at some place of the next runs."""

    def cancel() -> None:
        found = list(world.connection.runs.filter(state__in=Run.ACTIVE))
        if found:
            world.weather.count("cancel")
            dispatch.cancel(found[step.which % len(found)])

    if step.how % 3:
        world.weather.plan(Fault.CALL, 1 + step.what % _PLACES, cancel)
    else:
        cancel()
    return ()


def _kill(world: RealWorld, step: Step) -> Sequence[Violation]:
    world.workers.plan(KILLED, 1 + (step.which * 7 + step.what) % _STATEMENTS)
    return ()


def _lose(world: RealWorld, step: Step) -> Sequence[Violation]:
    world.workers.plan(LOST, 1 + (step.which * 7 + step.what) % _STATEMENTS)
    return ()


_ACTS: dict[str, Callable[[RealWorld, Step], Sequence[Violation]]] = {
    "start": _start,
    "task": _task,
    "task meanwhile": _task_meanwhile,
    "tick": _tick,
    "cancel": _cancel,
    "kill worker": _kill,
    "lose database": _lose,
}
