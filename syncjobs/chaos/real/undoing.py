"""At the end of a world: a run is taken back, and both sides must be what they were before it.

1. At rest users write, and one run carries it.
2. Users may write again: what they touched must be left alone.
3. A preview is made, which writes nothing; then the run is taken back by that plan. The worker
   may die on the way, and another goes on.
4. What the run wrote, and nobody else since, is as it was before the run, or the plan says that
   it is skipped. Nor does the next run bring it again; but what was taken back of the server's
   records flows to the client.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from organizations.records import Value
from syncjobs import dispatch, undo
from syncjobs.chaos.edits import edit
from syncjobs.chaos.ledger import By, Event, Write
from syncjobs.chaos.oracle import Violation
from syncjobs.chaos.oracle.mirror import replayed
from syncjobs.chaos.program import EDITS, Step
from syncjobs.chaos.real.mail import Call
from syncjobs.chaos.real.workers import KILLED
from syncjobs.chaos.real.working import Working
from syncjobs.chaos.schema import MODIFIED, PAIR
from syncjobs.engine.values import Side
from syncjobs.models import Run

_BY, _EDITS, _STATEMENTS = "chaos", 8, 120
_OWNER = "ownerid"
_KINDS = [kind for kind in EDITS if kind != "touch"]
_WHOLE = (Run.State.SUCCEEDED, Run.State.PARTLY)
Key = tuple[Side, str, str]
"""Side, entity and id; of a pair, both its ends."""
State = Mapping[Key, Mapping[str, Value]]


def take_back(world: Working, seed: int) -> Sequence[Violation]:
    """Take a run back in a world at rest, and judge that."""
    random = Random(f"undo {seed}")  # noqa: S311 - worlds must repeat
    _edit(world, random, _EDITS)
    before, begin = _state(world), len(world.ledger.events)
    run = _carried(world, dispatch.start_sync(world.connection, reason=_BY, inline=True))
    if run.state not in _WHOLE or undo.reason_against(run):
        return ()
    written = _written(world.ledger.events[begin:])
    if random.random() < 0.5:
        _edit(world, random, 2)
    moved = world.moved()
    preview = _carried(world, undo.start_preview(run, reason=_BY, inline=True))
    if world.moved() != moved:
        return [Violation("I8", "The preview of an undo wrote something.")]
    if preview.state != Run.State.SUCCEEDED:
        return [Violation("I6", f"An undo could not be previewed: {preview.message}")]
    if random.random() < 0.5:
        world.workers.plan(KILLED, random.randint(1, _STATEMENTS))
    digest = preview.result["undo"]["digest"]
    undone = _carried(world, undo.start(run, digest, reason=_BY, inline=True))
    world.calm()
    if undone.state not in _WHOLE:
        return [Violation("I6", f"A run could not be taken back: {undone.message}")]
    return _judged(world, written, before, _touched(world, begin, preview, undone))


def _judged(
    world: Working, written: set[Key], before: State, touched: set[Key]
) -> Sequence[Violation]:
    found = differences(written - touched, before, _state(world))
    if found or touched:
        return found
    world.sync()
    pulled = {key for key in written if (Side.SERVER, *key[1:]) not in written}
    return differences(pulled, before, _state(world))


def _touched(world: Working, begin: int, preview: Run, undone: Run) -> set[Key]:
    """Return what users or the twin itself wrote since then, and what the undo says it skips."""
    events, pairs = world.ledger.events, replayed(world.ledger.events).ids
    skipped = [
        (Side(one["side"]), one["entity"], one["record"])
        for one in preview.result["undo"]["skipped"]
    ]
    refused = undone.errors.values_list("entity", "record")
    skipped += [(side, entity, record) for entity, record in refused for side in Side]
    return {
        *(
            _key(event)
            for event in events[begin:]
            if isinstance(event, Write) and not _is_ours(event)
        ),
        *((side, entity, pairs.get(record, record)) for side, entity, record in skipped),
    }


def _edit(world: Working, random: Random, count: int) -> None:
    for _ in range(count):
        which, what, how = (random.randrange(1000) for _ in range(3))
        edit(world, Step(random.choice(_KINDS), which, what, how))


def _carried(world: Working, run: Run) -> Run:
    """Call workers until the run has ended; each goes on where the one before died."""
    for _ in range(3):
        world.end_leases()
        world.call(Call(dispatch.WAKE_TASK, str(run.pk)))
        run.refresh_from_db()
        if not run.is_active:
            break
        world.calm()
    return run


def differences(written: set[Key], before: State, after: State) -> list[Violation]:
    """Return the first record that was `written` and is not as it was before, if there is one."""
    for key in sorted(written):
        then, now = before.get(key), after.get(key)
        if not _is_same(key, then, now):
            what = f"{' '.join(key)} was {then}, and is {now}"
            return [Violation("I2", f"After a run was taken back, {what}.")]
    return []


def _is_same(key: Key, then: Mapping[str, Value] | None, now: Mapping[str, Value] | None) -> bool:
    if then is None or now is None:
        return then is now
    # Columns come and go, and in Dynamics nobody can take a record's owner from it.
    names = then.keys() & now.keys()
    if key[0] is Side.SERVER and then.get(_OWNER) is None:
        names -= {_OWNER, f"{_OWNER}__type"}
    return all(then[name] == now[name] for name in names)


def _state(world: Working) -> State:
    return dict(_records(world))


def _records(world: Working) -> Iterator[tuple[Key, Mapping[str, Value]]]:
    for organization in (world.server, world.client):
        for name in organization.tables:
            for record_id in organization.tables[name]:
                values = organization.values(name, record_id)
                yield _named(organization.side, name, record_id, values), _shown(name, values)


def _shown(entity: str, values: Mapping[str, Value]) -> dict[str, Value]:
    hidden = {MODIFIED, f"{PAIR}id"} if entity == PAIR else {MODIFIED}
    return {name: value for name, value in values.items() if name not in hidden}


def _named(side: Side, entity: str, record_id: str, values: Mapping[str, Value]) -> Key:
    if entity == PAIR:
        return side, entity, f"{values['accountid']} {values['tagid']}"
    return side, entity, record_id


def _key(write: Write) -> Key:
    return _named(write.side, write.entity, write.id, write.after or write.before or {})


def _written(events: Sequence[Event]) -> set[Key]:
    return {_key(event) for event in events if isinstance(event, Write) and _is_ours(event)}


def _is_ours(write: Write) -> bool:
    return write.by is By.ENGINE
