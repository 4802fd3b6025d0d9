"""What one edit of the client means for the server: a change of its record, or nothing."""

from __future__ import annotations

from collections.abc import Mapping

from connections.connectors.base import Edit
from organizations import records
from organizations.records import Row, Value
from syncjobs.engine.layout import Layout
from syncjobs.engine.matching import MATCH_KEYS
from syncjobs.engine.transactions import Action, Changed, Transaction
from syncjobs.engine.values import EntityTask, LinkRow, Problem

ONLY_HERE = "OnlyOnClient"
PAIR_CHANGED = "PairChanged"

_ACTIONS = {
    records.Action.CREATE: Action.CREATE,
    records.Action.UPDATE: Action.UPDATE,
    records.Action.DELETE: Action.DELETE,
}
_OF_PAIRS = {
    records.Action.CREATE: Action.ASSOCIATE,
    records.Action.DELETE: Action.DISASSOCIATE,
}
_DONE = {records.Action.CREATE: "made", records.Action.DELETE: "deleted"}


class Editing:
    """Translates the edits of one entity.

    Only columns that both sides have, and that the server lets somebody write, are changes.
    """

    def __init__(self, task: EntityTask) -> None:
        """Find the columns that count."""
        self.task, self.layout = task, Layout(task)
        self._columns = self.layout.editable

    def change(
        self, edit: Edit, link: LinkRow | None, *, is_waiting: bool
    ) -> Transaction | Problem | None:
        """Return the change, or why there can be none; None if nothing is to be delivered.

        `is_waiting`: another change of the record waits already, so the link does not tell what
        the server will have by then.
        """
        if self.task.server.is_intersect:
            return self._of_pair(edit, link, is_waiting=is_waiting)
        if self.task.name in MATCH_KEYS and edit.action is not records.Action.UPDATE:
            return self._only_here(edit)
        if is_waiting:
            return self._as_it_is(edit, link)
        if link is None:
            return self._unlinked(edit)
        return self._linked(edit, link)

    def whole(self, row: Row) -> Mapping[str, Changed]:
        """Return a record of the client as a change of every column, of which nothing was known."""
        values = zip(self.layout.columns, row, strict=True)
        return {name: Changed(None, value) for name, value in values if name in self._columns}

    def _unlinked(self, edit: Edit) -> Transaction | None:
        """The server never had the record from us: it is sent whole, or was never needed."""
        if edit.action is records.Action.DELETE:
            return None
        if edit.action is records.Action.CREATE or self.task.name in MATCH_KEYS:
            return self._as_it_is(edit, None)
        return self._made(edit, Action.CREATE, None, None) if self._counts(edit) else None

    def _linked(self, edit: Edit, link: LinkRow) -> Transaction | None:
        if edit.action is records.Action.CREATE:
            # The record was gone and is back: how it differs from the server's is not known.
            return self._made(edit, Action.UPDATE, None, link)
        return self._as_it_is(edit, link)

    def _as_it_is(self, edit: Edit, link: LinkRow | None) -> Transaction | None:
        if not self._counts(edit):
            return None
        return self._made(edit, _ACTIONS[edit.action], self._changes(edit), link)

    def _of_pair(
        self, edit: Edit, link: LinkRow | None, *, is_waiting: bool
    ) -> Transaction | Problem | None:
        action = _OF_PAIRS.get(edit.action)
        if action is None:
            return self._problem(
                edit, PAIR_CHANGED, "A pair was changed on the client. Remove it and make another."
            )
        if not is_waiting and (link is None) == (action is Action.DISASSOCIATE):
            return None
        return self._made(edit, action, self._changes(edit), link)

    def _counts(self, edit: Edit) -> bool:
        """Return whether anything of the edit is the server's business."""
        if edit.action is not records.Action.UPDATE or edit.changes is None:
            return True
        return not self._columns.isdisjoint(edit.changes)

    def _changes(self, edit: Edit) -> Mapping[str, Changed] | None:
        if edit.changes is None or edit.action is records.Action.DELETE:
            return None
        pairs: dict[str, tuple[Value, Value]] = {
            name: pair for name, pair in edit.changes.items() if name in self._columns
        }
        return {name: Changed(*pair) for name, pair in pairs.items()}

    def _made(
        self,
        edit: Edit,
        action: Action,
        changes: Mapping[str, Changed] | None,
        link: LinkRow | None,
    ) -> Transaction:
        return Transaction(
            entity=self.task.key,
            client_id=edit.id,
            action=action,
            version=edit.version,
            first_version=edit.version,
            changes=changes,
            based_on=link.server_version if link is not None else 0,
            actor=edit.actor,
            at=edit.at,
        )

    def _only_here(self, edit: Edit) -> Problem:
        what = _DONE[edit.action]
        return self._problem(
            edit,
            ONLY_HERE,
            f"The record was {what} on the client. Records of '{self.task.name}' exist on both "
            f"sides by themselves, so it is not {what} on the server.",
        )

    def _problem(self, edit: Edit, code: str, message: str) -> Problem:
        return Problem(entity=self.task.name, record=edit.id, code=code, message=message)
