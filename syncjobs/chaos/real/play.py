"""Playing programs over the database, one world after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from syncjobs.chaos import deciding
from syncjobs.chaos.oracle import Violation, judge
from syncjobs.chaos.play import Outcome, play_in
from syncjobs.chaos.program import Program, make_program
from syncjobs.chaos.real.doors import Door
from syncjobs.chaos.real.world import world
from syncjobs.chaos.resting import NoRest, come_to_rest
from syncjobs.chaos.world import World
from syncjobs.engine.transactions import Status
from syncjobs.engine.values import Side

STEPS = 30
"""Steps of a world unless it is told otherwise: a run takes hundreds of times as long as one in
memory."""

_ROUNDS = 4
"""So often persons decide at the end; each decision may lead to another question."""


def play(door: Door, given: Program) -> Outcome:
    """Play a program over this installation."""
    with world(door, given.setting) as made:
        return play_in(made, given, finish)


def play_seeds(door: Door, seeds: Iterable[int], steps: int = STEPS) -> Iterator[Outcome]:
    """Play the worlds of these seeds."""
    for seed in seeds:
        yield play(door, make_program(seed, steps))


def finish(world: World) -> Sequence[Violation]:
    """Come to rest, be healed, have everything decided, until nothing is left to decide."""
    try:
        for _ in range(_ROUNDS):
            come_to_rest(world)
            if violations := judge(world):
                return violations
            if not _settle(world):
                break
    except NoRest as error:
        return [Violation("I5", str(error))]
    return ()


def _settle(world: World) -> bool:
    """Heal and decide what there is; return whether there was anything."""
    faults = (world.server.faults, world.client.faults)
    found = any(item.always_rejected or item.unreadable for item in faults)
    world.heal()
    found |= any(item.status is Status.ERROR for item in world.memory.transactions())
    deciding.set_all_to_pending(world)
    deciding.choose_all(world, Side.SERVER if world.number % 2 else Side.CLIENT)
    for name in world.server.entities:
        found |= world.memory.decide(world.key(name), approve=True)
    return found
