"""Coming to rest: nothing goes wrong any more, and runs follow until nothing moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from organizations.query.nodes import Query
from syncjobs.chaos import deciding
from syncjobs.chaos.ledger import By, Event, Write
from syncjobs.chaos.oracle import Violation, judge
from syncjobs.chaos.world import Run, World
from syncjobs.engine.values import Side

_RUNS = 12
"""Within so many runs everything must have come to rest."""

_LONG = timedelta(days=2)
"""Longer than any wait for a next attempt; it also ends the airbag's day."""


_SHORT = timedelta(minutes=20)
"""Longer than a first wait, and too short for a token to be renewed."""


class NoRest(Exception):
    """Something moves for ever, or a run without any fault does not come to its end."""


def come_to_rest(world: World) -> None:
    """Run until nothing moves. Raises NoRest."""
    world.calm()
    world.update_server()
    run, is_full = None, world.has_gone_back
    world.has_gone_back = False
    for number in range(_RUNS):
        world.later(_SHORT if number else _LONG)
        before = world.moved()
        run = world.sync(full=is_full)
        if world.moved() == before and run.is_whole and not is_full:
            return
        # A person does what the run asks for.
        is_full = run.ended.startswith("ServerChanged")
    ended = run.ended if run is not None else ""
    raise NoRest(f"After {_RUNS} runs without any fault it still moves; the last ended '{ended}'.")


def predict(world: World) -> Sequence[Violation]:
    """Run dry, then run; nothing is written by the first, and the second does the same."""
    world.calm()
    is_known = not (world.has_gone_back or _is_interrupted(world) or _is_hidden(world))
    before = world.moved()
    dry = world.sync(dry_run=True)
    if world.moved() != before:
        return [Violation("I8", f"A dry run wrote: {before} became {world.moved()}.")]
    events = len(world.ledger.events)
    run = world.sync()
    told, done, since = _told(dry), _told(run), world.ledger.events[events:]
    if told != done and is_known and not _is_unforeseeable(world, run, since):
        differ = {name: (told.get(name), done.get(name)) for name in {*told, *done}}
        shown = {name: pair for name, pair in sorted(differ.items()) if pair[0] != pair[1]}
        return [Violation("I8", f"A dry run predicted otherwise: {shown}.")]
    return ()


def end(world: World) -> Sequence[Violation]:
    """Come to rest, be healed and come to rest, have everything decided and come to rest."""
    try:
        for prepare in (_nothing, _heal, _decide_all, _decide_all, _nothing):
            prepare(world)
            come_to_rest(world)
            if violations := judge(world):
                return violations
    except NoRest as error:
        return [Violation("I5", str(error))]
    return ()


def _is_interrupted(world: World) -> bool:
    """Return whether a full reading goes on in its middle.

    Which of the records that are delivered first lie behind it is the server's secret.
    """
    return any(position.full and position.resume for position in world.memory.positions())


def _is_hidden(world: World) -> bool:
    """Return whether a filter that follows links looks at a record that nobody can read.

    Only the server can tell then who would be inside after a delivery (design 5.1.3).
    """
    queries = [settings.inside.query for settings in world.settings.values()]
    following = [query for query in queries if query is not None and query.links]
    names = {name for query in following for name in (query.entity, *_linked(query))}
    unreadable = world.server.faults.unreadable
    return any(not unreadable.isdisjoint(world.server.tables[name]) for name in names)


def _linked(query: Query) -> Iterator[str]:
    return (link.entity for link in query.links)


def _is_unforeseeable(world: World, run: Run, events: Sequence[Event]) -> bool:
    """Return whether the run met what only writing tells, or did not come to its end.

    That is a record that the server's own rules refuse, and what it writes by itself then.
    """
    if not run.is_whole:
        return True
    by_itself = (isinstance(event, Write) and event.by is By.SYSTEM for event in events)
    poisoned = world.server.faults.always_rejected
    return any(by_itself) or not world.server.refused.keys() <= poisoned


def _told(run: Run) -> dict[str, object]:
    return {"": run.ended} | {report.entity: report.counts for report in run.reports}


def _nothing(world: World) -> None:
    pass


def _heal(world: World) -> None:
    world.heal()
    deciding.set_all_to_pending(world)


def _decide_all(world: World) -> None:
    deciding.choose_all(world, Side.SERVER if world.number % 2 else Side.CLIENT)
    for name in world.server.entities:
        world.memory.decide(world.key(name), approve=True)
