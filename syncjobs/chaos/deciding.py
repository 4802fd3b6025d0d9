"""What persons decide: about transactions, conflicts and held deletions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from syncjobs.chaos.ledger import Insisted
from syncjobs.chaos.program import Step
from syncjobs.chaos.world import World
from syncjobs.engine.transactions import Action, Status, Transaction
from syncjobs.engine.values import Side


def decide(world: World, step: Step) -> None:
    """Let a person decide what the step says."""
    if _ACTS[step.kind](world, step):
        world.weather.pending.add(step.kind)


def set_all_to_pending(world: World) -> None:
    """Press the button that lets everything in Error try again, but for conflicts."""
    failed = [
        _again(item)
        for item in world.memory.transactions()
        if item.status is Status.ERROR and item.conflict is None
    ]
    _write(world, failed)


def choose_all(world: World, side: Side) -> None:
    """Decide every conflict for one side."""
    for item in conflicts(world):
        _decide_conflict(world, item, side)


def conflicts(world: World) -> list[Transaction]:
    """Return what asks a person."""
    return [
        item
        for item in world.memory.transactions()
        if item.status is Status.ERROR and item.conflict is not None
    ]


def _write(world: World, items: Sequence[Transaction]) -> None:
    """Write by hand what is not under way: it has its own transaction."""
    for item in items:
        world.memory.change(item)


def _set_to_pending(world: World, step: Step) -> bool:
    found = _one(world, step, Status.ERROR, Status.ARCHIVED)
    if found is not None:
        _write(world, [_again(found)])
        _insist(world, found)
    return found is not None


def _insist(world: World, item: Transaction) -> None:
    names = {world.key(name): name for name in world.server.entities}
    world.ledger.add(Insisted(names[item.entity], item.client_id, item.action))


def _archive(world: World, step: Step) -> bool:
    found = _one(world, step, Status.ERROR, Status.PENDING)
    if found is None or (found.status is Status.PENDING and found.attempts):
        return False
    _write(world, [replace(found, status=Status.ARCHIVED)])
    world.set_aside.add(found.id)
    return True


def _choose(world: World, step: Step) -> bool:
    found = conflicts(world)
    if found:
        side = Side.SERVER if step.what % 2 else Side.CLIENT
        _decide_conflict(world, found[step.which % len(found)], side)
    return bool(found)


def _decide_conflict(world: World, item: Transaction, side: Side) -> None:
    _write(world, [_chosen(item, side)])
    # Whoever chooses a deletion wants it, also where users have made the record again since.
    if side is Side.CLIENT and item.action is Action.DELETE:
        _insist(world, item)


def _decide_held(world: World, step: Step) -> bool:
    names, approve = sorted(world.server.entities), bool(step.what % 2)
    first = step.which % len(names)
    in_turn = [*names[first:], *names[:first]]
    return any(world.memory.decide(world.key(name), approve=approve) for name in in_turn)


def _one(world: World, step: Step, *statuses: Status) -> Transaction | None:
    found = [item for item in world.memory.transactions() if item.status in statuses]
    return found[step.which % len(found)] if found else None


def _again(item: Transaction) -> Transaction:
    return replace(item, status=Status.PENDING, next_attempt=None)


def _chosen(item: Transaction, side: Side) -> Transaction:
    conflict = item.conflict
    columns = {*conflict.server, *conflict.client} if conflict is not None else set()
    return replace(_again(item), choices=dict.fromkeys(columns, side))


_ACTS: dict[str, Callable[[World, Step], bool]] = {
    "set to pending": _set_to_pending,
    "archive": _archive,
    "choose": _choose,
    "decide held": _decide_held,
}
