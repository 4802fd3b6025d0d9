"""What goes wrong: faults are planned, checkpoints expire, backups come back."""

from __future__ import annotations

from syncjobs.chaos.edits import edit
from syncjobs.chaos.program import Step
from syncjobs.chaos.weather import Fault
from syncjobs.chaos.world import World

_PLACES = {
    Fault.RETRY: 12,
    Fault.REFUSED: 20,
    Fault.TRUNCATED: 8,
    Fault.DUPLICATED: 8,
    Fault.EMPTY: 4,
    Fault.LOST: 4,
    Fault.CONFLICT: 4,
    Fault.KILL: 60,
    Fault.TAKEOVER: 40,
    Fault.EDIT: 40,
}
"""How many places ahead a fault may strike: about as many as a run has of them."""


def trouble(world: World, step: Step) -> None:
    """Let the step's trouble come, now or at some place of the next runs."""
    if step.kind == "expire":
        world.weather.count("expired checkpoint")
        world.expire_checkpoints()
    elif step.kind == "backup":
        world.make_backup()
    elif step.kind == "restore backup":
        _restore_backup(world)
    else:
        _plan(world, step)


def _plan(world: World, step: Step) -> None:
    fault = Fault(step.kind)
    if step.how % 2 and world.befall(fault, step.which):
        return
    count = 1 + step.which % _PLACES[fault]
    if fault is Fault.TAKEOVER:
        world.weather.plan(fault, count, lambda: _take_over(world))
    elif fault is Fault.EDIT:
        world.weather.plan(fault, count, lambda: edit(world, step))
    else:
        world.weather.plan(fault, count)


def _restore_backup(world: World) -> None:
    if world.restore_backup():
        world.weather.count("restored backup")
        world.has_gone_back = True


def _take_over(world: World) -> None:
    """Let another worker do a whole run while one is under way."""
    world.sync()
