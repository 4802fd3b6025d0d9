"""Playing programs over the database, one world after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial

from syncjobs.chaos import deciding
from syncjobs.chaos.oracle import Violation, judge
from syncjobs.chaos.play import Outcome, apply, play_in
from syncjobs.chaos.program import Program, Step
from syncjobs.chaos.real import calling, persons
from syncjobs.chaos.real.doors import Door
from syncjobs.chaos.real.program import DECISIONS, TASKS, make_program
from syncjobs.chaos.real.undoing import take_back
from syncjobs.chaos.real.world import RealWorld, world
from syncjobs.chaos.resting import NoRest, come_to_rest
from syncjobs.chaos.world import World
from syncjobs.engine.transactions import Status
from syncjobs.engine.values import Side

STEPS = 30
"""Steps of a world unless it is told otherwise: a run takes hundreds of times as long as one in
memory."""

LEFT_OUT = {
    "workers at once": "They act in turn, each where it may. Real races for the lease and the lane "
    "are played by the tests of both.",
    "dead processes": "A worker dies by the end of its session. Processes of web and workers are "
    "killed by the test of instant mode.",
    "reading ahead": "The product's workers read ahead in threads, so only their writes to a twin "
    "meet the weather. Reading meets it where runs are carried without them.",
    "advanced sync deletion": "Mobile Tracking of a twin is walked by the acceptance tests.",
    "clients elsewhere": "The client is hosted here; one elsewhere is played by the tests of three "
    "organizations in step.",
}
"""What no world plays, and why, or who does."""

_ROUNDS = 4
"""So often persons decide at the end; each decision may lead to another question."""


def play(door: Door, given: Program) -> Outcome:
    """Play a program over this installation."""
    with world(door, given.setting) as made:
        return play_in(made, given, partial(finish, given.seed, made), partial(_act, made))


def _act(world: RealWorld, also: World, step: Step) -> Sequence[Violation]:
    """Play one step, of our own kinds or of those that memory has too."""
    if step.kind in TASKS or step.kind in DECISIONS:
        world.later(timedelta(seconds=60 + step.which % 7))
        found = (calling if step.kind in TASKS else persons).act(world, step)
    else:
        found = apply(world, step)
        world.tell_modes()
    return [*found, *world.late]


def play_seeds(door: Door, seeds: Iterable[int], steps: int = STEPS) -> Iterator[Outcome]:
    """Play the worlds of these seeds."""
    for seed in seeds:
        yield play(door, make_program(seed, steps))


def finish(seed: int, made: RealWorld, world: World) -> Sequence[Violation]:
    """Come to rest, be healed, have everything decided, until nothing is left to decide.

    Then, every other time, a run is taken back.
    """
    try:
        for _ in range(_ROUNDS):
            come_to_rest(world)
            if violations := judge(world):
                return violations
            if not _settle(world):
                break
    except NoRest as error:
        return [Violation("I5", str(error))]
    return take_back(made, seed) if seed % 2 else ()


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
