"""What is to be done to take back one page of a run's writes: the decision table of undo.

Nothing here reads or writes; a preview and the undo itself decide by the same function. *First*
and *last* are what the run did to the record first and last: most records were written once.

======  ==========  ==========================  ====================================
first   last        the record now              decision
======  ==========  ==========================  ====================================
create  any         none                        nothing: it is gone already
any     any         as it was before the run    nothing: it is so already
create  not delete  at the run's version        delete
create  any         at another version          skipped: changed, or made again, since
update  not delete  at the run's version        update with the row before
delete  not delete  at the run's version        update with the row before
not c.  not delete  at another version          skipped: changed since
not c.  not delete  none                        skipped: deleted since
not c.  delete      none                        create, with the same id
not c.  delete      any                         skipped: made again since
======  ==========  ==========================  ====================================

What becomes of the links, so that the next run neither redoes it nor fights it:

* What was taken back on the client keeps the server's digest on its link. A server record that
  has not changed is therefore "unchanged" for every later run, and stays taken back; Verify lists
  it with that reason. When the server's record changes, the change is carried as ever: the link's
  client version is that of the undo, or `TAKEN_BACK` where the client's record was removed.
* A client record that the run had deleted comes back without a link, as from the recycle bin:
  nothing deletes it again, and the link is made when the server's record comes.
* What was taken back on the server is a change of the server, and flows to the client in the next
  run. Its link is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from organizations.records import Action, Row
from syncjobs.engine.values import TAKEN_BACK, Images, LinkRow


class Repeat(NamedTuple):
    """A record that several images of the run hold: it is taken back once, by the newest.

    `newest` is that image's number; action, columns and row are those of the oldest.
    """

    newest: int
    first: Action
    columns: tuple[str, ...]
    before: Row | None


class Written(NamedTuple):
    """What a run did to one record: first, last, the version after, the row before (if any)."""

    id: str
    first: Action
    last: Action
    version: int
    columns: tuple[str, ...] = ()
    before: Row | None = None


class Now(NamedTuple):
    """A record as it is now; `row` in the layout's order."""

    version: int
    row: Row


class Step(NamedTuple):
    """One write that takes something back; `changed` are the columns that get another value."""

    id: str
    row: Row
    expected: int
    changed: frozenset[str] = frozenset()


class Skipped(NamedTuple):
    """A record that is left as it is, and why."""

    id: str
    reason: str


@dataclass(slots=True)
class UndoPage:
    """The decisions on one page; rows are in the layout's order, a deletion's hold the id."""

    steps: dict[Action, list[Step]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    already: int = 0

    def of(self, action: Action) -> list[Step]:
        """Return the writes of that kind."""
        return self.steps.get(action, [])


def written(number: int, images: Images, repeats: Mapping[str, Repeat]) -> list[Written]:
    """Return what is to be taken back by image `number`: each record once in all images."""
    before: Sequence[Row | None] = images.before or [None] * len(images.ids)
    found = []
    for id_, version, row in zip(images.ids, images.versions, before, strict=True):
        one = Written(id_, images.action, images.action, version, images.columns, row)
        repeat = repeats.get(id_)
        if repeat is None:
            found.append(one)
        elif repeat.newest == number:
            _, first, columns, row_before = repeat
            found.append(one._replace(first=first, columns=columns, before=row_before))
    return found


def plan_undo(
    records: Sequence[Written], now: Mapping[str, Now], columns: tuple[str, ...]
) -> UndoPage:
    """Decide for each record. `columns` is the layout: what both sides have of the entity now.

    A column that the layout does not have cannot be brought back; one that it has and the image
    has not keeps its value.
    """
    plan = UndoPage()
    for record in records:
        _decide(record, now.get(record.id), columns, plan)
    return plan


def _decide(record: Written, now: Now | None, columns: tuple[str, ...], plan: UndoPage) -> None:
    if record.first is Action.CREATE:
        _take_away(record, now, plan)
        return
    row = _row_before(record, now, columns)
    if now is None:
        if record.last is Action.DELETE:
            _add(plan, Action.CREATE, Step(record.id, row, 0))
        else:
            plan.skipped.append(Skipped(record.id, "It was deleted since."))
    elif now.row == row:
        plan.already += 1
    elif record.last is Action.DELETE:
        plan.skipped.append(Skipped(record.id, "It was deleted, and made again since."))
    elif now.version != record.version:
        plan.skipped.append(_changed(record, now))
    else:
        pairs = zip(columns, row, now.row, strict=True)
        changed = frozenset(name for name, old, new in pairs if old != new)
        _add(plan, Action.UPDATE, Step(record.id, row, now.version, changed))


def _take_away(record: Written, now: Now | None, plan: UndoPage) -> None:
    if now is None:
        plan.already += 1
    elif record.last is Action.DELETE:
        plan.skipped.append(Skipped(record.id, "It was deleted, and made again since."))
    elif now.version != record.version:
        plan.skipped.append(_changed(record, now))
    else:
        _add(plan, Action.DELETE, Step(record.id, (record.id,), now.version))


def _changed(record: Written, now: Now) -> Skipped:
    if record.version == 0:
        reason = "Its version after the run is not known, so it may have been changed since."
    else:
        reason = (
            f"It was changed since: it is at version {now.version}, the run left it at "
            f"{record.version}."
        )
    return Skipped(record.id, reason)


def _row_before(record: Written, now: Now | None, columns: tuple[str, ...]) -> Row:
    before = dict(zip(record.columns, record.before or (), strict=False))
    rest = dict(zip(columns, now.row, strict=True)) if now else {}
    return (record.id, *(before.get(name, rest.get(name)) for name in columns[1:]))


def _add(plan: UndoPage, action: Action, step: Step) -> None:
    plan.steps.setdefault(action, []).append(step)


def relinked(
    action: Action, ids: Sequence[str], versions: Sequence[int], links: Mapping[str, LinkRow]
) -> list[LinkRow]:
    """Return the links, by client id, of client records that were taken back by `action`."""
    return [
        links[id_]._replace(client_version=TAKEN_BACK if action is Action.DELETE else version)
        for id_, version in zip(ids, versions, strict=True)
        if id_ in links
    ]
