"""What administrators do: settings, metadata, and what becomes of single records."""

from __future__ import annotations

from collections.abc import Callable

from syncjobs.chaos import schema
from syncjobs.chaos.filters import FILTERS
from syncjobs.chaos.program import Step
from syncjobs.chaos.schema import ACCOUNT, CARRIED, CONTACT
from syncjobs.chaos.world import World
from syncjobs.engine.values import ConflictRule, Leaving, Side

_SHORT = 3
"""Characters that a shortened attribute takes: less than most values have."""


def administer(world: World, step: Step) -> None:
    """Do what the step says."""
    _ACTS[step.kind](world, step)
    world.weather.pending.add(step.kind)


def _filter(world: World, step: Step) -> None:
    entity = (ACCOUNT, CONTACT)[step.which % 2]
    filters = FILTERS[entity]
    world.set(world.settings[entity]._replace(inside=filters[step.what % len(filters)]))


def _sync_deletion(world: World, step: Step) -> None:
    for entity in _some(step):
        world.set(world.settings[entity]._replace(deletes=bool(step.what % 2)))


def _leaving(world: World, step: Step) -> None:
    for entity in _some(step):
        world.set(world.settings[entity]._replace(leaving=list(Leaving)[step.what % 2]))


def _conflict_rule(world: World, step: Step) -> None:
    for entity in _some(step):
        world.set(world.settings[entity]._replace(rule=list(ConflictRule)[step.what % 5]))


def _write_mode(world: World, step: Step) -> None:
    for entity in _some(step):
        if entity in world.offline:
            world.offline.remove(entity)
        else:
            world.offline.add(entity)


def _hide_attribute(world: World, step: Step) -> None:
    entity = world.server.entities[(ACCOUNT, CONTACT)[step.which % 2]]
    names = schema.texts(entity)
    if names:
        world.server.alter(schema.without(entity, names[step.what % len(names)]))


def _shorten_attribute(world: World, step: Step) -> None:
    entity = world.server.entities[(ACCOUNT, CONTACT)[step.which % 2]]
    names = schema.texts(entity)
    if names:
        name = names[step.what % len(names)]
        world.server.alter(schema.shortened(entity, name, _SHORT))


def _add_attribute(world: World, step: Step) -> None:
    entity = world.server.entities[(ACCOUNT, CONTACT)[step.which % 2]]
    world.server.alter(schema.with_text(entity, f"extra{world.name()}"))


def _update_server(world: World, step: Step) -> None:
    world.update_server()


def _poison(world: World, step: Step) -> None:
    """Let one side refuse a record of the other for ever."""
    here, there = (Side.SERVER, Side.CLIENT) if step.how % 2 else (Side.CLIENT, Side.SERVER)
    record = _record(world, there, step)
    if record:
        world.side(here).faults.always_rejected.add(record)
        world.side(here).refused_ever.add(record)


def _illegible(world: World, step: Step) -> None:
    """Let a record of the server hold what nobody can read."""
    record = _record(world, Side.SERVER, step)
    if record:
        world.server.faults.unreadable.add(record)
        world.server.refused_ever.add(record)


def _heal(world: World, step: Step) -> None:
    world.heal()


def _record(world: World, side: Side, step: Step) -> str:
    found = list(world.side(side).tables[CARRIED[step.what % len(CARRIED)]])
    return found[step.which % len(found)] if found else ""


def _some(step: Step) -> tuple[str, ...]:
    return CARRIED if step.which % 3 == 0 else (CARRIED[step.which % len(CARRIED)],)


_ACTS: dict[str, Callable[[World, Step], None]] = {
    "filter": _filter,
    "sync deletion": _sync_deletion,
    "leaving": _leaving,
    "conflict rule": _conflict_rule,
    "write mode": _write_mode,
    "hide attribute": _hide_attribute,
    "shorten attribute": _shorten_attribute,
    "add attribute": _add_attribute,
    "update server": _update_server,
    "poison": _poison,
    "illegible": _illegible,
    "heal": _heal,
}
