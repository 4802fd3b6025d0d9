"""What persons do on the pages of an installation: the recycle bin, and plans that are applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from organizations.records import Action
from syncjobs import dispatch, plans, recycle_bin
from syncjobs.chaos.edits import edit
from syncjobs.chaos.ledger import By, Event, Write
from syncjobs.chaos.oracle import Violation
from syncjobs.chaos.program import EDITS, Step
from syncjobs.chaos.real.mail import Call
from syncjobs.chaos.real.organizations import unhindered
from syncjobs.chaos.real.world import RealWorld
from syncjobs.chaos.schema import PAIR
from syncjobs.engine.values import Side
from syncjobs.models import Run

_BY, _SHOWN = "chaos", 20
_EDITS = list(EDITS)
Planned = Counter[tuple[str, str, str, str]]
"""How often a record is written: side, entity, action and id."""


def act(world: RealWorld, step: Step) -> Sequence[Violation]:
    """Do what the step says."""
    return _ACTS[step.kind](world, step)


def _recycle(world: RealWorld, step: Step) -> Sequence[Violation]:
    """Bring one deleted record of the client back."""
    rows = list(recycle_bin.deleted_records(world.connection)[:_SHOWN])
    if rows:
        row = rows[step.which % len(rows)]
        is_ours = row.origin == str(world.connection.pk)
        with unhindered():
            recycle_bin.restore(world.connection, [row], actor=_BY)
        # What we deleted stands apart then; what a user deleted, that user made again.
        world.client.tell(By.SYSTEM if is_ours else By.USER)
        world.weather.pending.add("recycle")
    return ()


def _choose_restored(world: RealWorld, step: Step) -> Sequence[Violation]:
    """Keep what was restored on the client only, or let the server rule it again."""
    rows = list(recycle_bin.undecided(world.connection))
    if rows:
        row = rows[step.which % len(rows)]
        name, ids = row.entity.name, list(row.server_ids)[: 1 + step.what % 3]
        if step.how % 2:
            recycle_bin.keep(world.connection, name, ids, by=_BY)
        else:
            recycle_bin.follow(world.connection, name, ids)
        world.weather.pending.add("choose restored")
    return ()


def _apply_plan(world: RealWorld, step: Step) -> Sequence[Violation]:
    """Make a plan, perhaps let a user do something, and apply it: nothing else may be written."""
    dry = dispatch.start_sync(world.connection, reason=_BY, dry_run=True, inline=True)
    world.call(Call(dispatch.WAKE_TASK, str(dry.pk)))
    dry.refresh_from_db()
    if plans.why_not(dry):
        return ()
    if step.how % 3 == 0:
        edit(world, step._replace(kind=_EDITS[step.what % len(_EDITS)]))
    run = dispatch.start_apply(world.connection, dry.pk, reason=_BY, inline=True)
    begin = len(world.ledger.events)
    world.call(Call(dispatch.WAKE_TASK, str(run.pk)))
    planned = _planned(dry)
    # What the server makes of a record that it was given, it tells only then.
    more = _written(world.ledger.events[begin:]) - planned - _read_back(planned)
    world.weather.pending.add("apply plan")
    return [Violation("I8", f"A plan was applied, and more than it: {sorted(more)}.")] * bool(more)


def _written(events: Sequence[Event]) -> Planned:
    return Counter(
        (event.side.value, event.entity, event.action.value, _named(event.entity, event.id))
        for event in events
        if isinstance(event, Write) and event.by is By.ENGINE
    )


def _planned(dry: Run) -> Planned:
    return Counter(_records(dry))


def _read_back(planned: Planned) -> Planned:
    client, update = Side.CLIENT.value, Action.UPDATE.value
    return Counter(
        (client, entity, update, record)
        for side, entity, _, record in planned
        if side == Side.SERVER
    )


def _records(dry: Run) -> Iterator[tuple[str, str, str, str]]:
    for page in dry.plan_pages.all():
        for record in page.records:
            yield page.side, page.entity, page.action, _named(page.entity, record)


def _named(entity: str, record: str) -> str:
    # The server gives a pair that it makes an id of its own.
    return "" if entity == PAIR else record


_ACTS: dict[str, Callable[[RealWorld, Step], Sequence[Violation]]] = {
    "recycle": _recycle,
    "choose restored": _choose_restored,
    "apply plan": _apply_plan,
}
