"""Playing a program in a world, with rests at which everything is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from syncjobs.chaos import administering, deciding, edits, program, troubling
from syncjobs.chaos.filters import HOME
from syncjobs.chaos.memory_world import make_world
from syncjobs.chaos.oracle import Violation, judge
from syncjobs.chaos.program import Program, Step
from syncjobs.chaos.resting import NoRest, come_to_rest, end, predict
from syncjobs.chaos.schema import ACCOUNT, CONTACT, TAG, USER
from syncjobs.chaos.world import World
from syncjobs.engine.values import Side

Finish = Callable[[World], Sequence[Violation]]
"""Brings a world to its last rest, and returns what is violated then."""

Act = Callable[[World, Step], Sequence[Violation]]
"""Plays a step, and returns what is violated then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a world. `struck` counts faults by fault and action; `steps` were played."""

    seed: int
    steps: int
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: Sequence[Violation] = ()


def play(given: Program) -> Outcome:
    """Play a program in memory to its end, or to its first violation."""
    return play_in(make_world(given.setting), given)


def play_in(world: World, given: Program, finish: Finish = end, act: Act | None = None) -> Outcome:
    """Play a program in a world in which nothing was carried yet, and `finish` it.

    `act` plays a step, where that is not `apply`.
    """
    populate(world)
    violations: Sequence[Violation] = ()
    played = 0
    for step in given.steps:
        violations = (act or apply)(world, step)
        played += 1
        if violations:
            break
    else:
        violations = finish(world)
    return Outcome(
        seed=given.seed, steps=played, struck=world.weather.struck, violations=violations
    )


def populate(world: World) -> None:
    """Put users on both sides, and the first records on the server."""
    for number in range(3):
        values = {"domainname": f"user{number}", "fullname": f"User {number}"}
        world.server.create(USER, values)
        if number:
            world.client.create(USER, values)
    for number in range(world.setting.records):
        entity = (ACCOUNT, CONTACT, TAG)[number % 3]
        city = {"city": HOME} if entity == ACCOUNT else {}
        world.server.create(entity, {"name": world.name(), **city})


def apply(world: World, step: Step) -> Sequence[Violation]:
    """Play one step."""
    world.later(timedelta(seconds=60 + step.which % 7))
    if step.kind in program.EDITS:
        edits.edit(world, step)
        if step.how % 2 == 0:
            world.deliver()
    elif step.kind in program.SETTINGS:
        administering.administer(world, step)
    elif step.kind in program.PERSONS:
        deciding.decide(world, step)
    elif step.kind in program.TROUBLES:
        troubling.trouble(world, step)
    else:
        return _RUNS[step.kind](world)
    return ()


def _sync(world: World) -> Sequence[Violation]:
    world.sync()
    return ()


def _full(world: World) -> Sequence[Violation]:
    if world.sync(full=True).is_whole:
        world.has_gone_back = False
    return ()


def _deliver(world: World) -> Sequence[Violation]:
    world.deliver()
    return ()


def _rest(world: World) -> Sequence[Violation]:
    try:
        come_to_rest(world)
    except NoRest as error:
        return [Violation("I5", str(error))]
    return judge(world)


def _later(world: World) -> Sequence[Violation]:
    world.later(timedelta(hours=20))
    return ()


_RUNS: dict[str, Callable[[World], Sequence[Violation]]] = {
    "sync": _sync,
    "full": _full,
    "deliver": _deliver,
    "dry": predict,
    "rest": _rest,
    "later": _later,
}


def shortened(given: Program, steps: Sequence[Step]) -> Program:
    """Return the program with other steps."""
    return given._replace(steps=steps)


def with_setting(given: Program, **changed: object) -> Program:
    """Return the program with other settings."""
    return given._replace(setting=replace(given.setting, **changed))  # type: ignore[arg-type]


SIDES = tuple(Side)
