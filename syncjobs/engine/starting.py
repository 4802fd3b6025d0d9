"""Where the reading of an entity begins: at its checkpoint, after a page, or from nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connections.connectors.base import Connector
from syncjobs.engine.layout import Layout
from syncjobs.engine.protocols import State
from syncjobs.engine.scope import check_organization, scope_of
from syncjobs.engine.values import EntityTask, LinkRow, Position
from syncjobs.errors import ServerChanged

_PROBES = 100
"""How many of the newest links are looked at when the server seems to have gone back in time."""


class Start:
    """Finds the position from which one entity is read."""

    def __init__(
        self, server: Connector, client: Connector, state: State, *, organization_id: str
    ) -> None:
        """`organization_id` is the server's, as it identified itself for this run."""
        self._server, self._client, self._state = server, client, state
        self._organization_id = organization_id

    def position(self, task: EntityTask, *, full: bool, highest: int | None = None) -> Position:
        """Return the saved position if it is valid, else the beginning of a full reading.

        An interrupted full reading is continued even where a full one is asked for. `highest`:
        the server's highest version, if it was asked already. Raises ServerChanged (not if
        `full`: then a person has decided).
        """
        saved = self._state.position(task.key)
        scope = scope_of(self._organization_id, task, Layout(task))
        if saved.scope == scope and saved.full and saved.resume:
            return saved
        if full:
            return self.beginning(task, scope, highest=highest)
        check_organization(task.name, saved.scope, scope)
        if saved.scope != scope or not saved.token or not self._is_trusted(task, saved, highest):
            return self.beginning(task, scope, highest=highest)
        return saved

    def beginning(self, task: EntityTask, scope: str, *, highest: int | None = None) -> Position:
        """Return the beginning of a full reading, with the server's low-water version."""
        return Position(
            scope=scope,
            full=True,
            fresh=self._is_fresh(task),
            low_water=self._server.highest_version(task.server) if highest is None else highest,
        )

    def accept(self, task: EntityTask) -> None:
        """Agree on no version of records that the server has at an older one by now.

        A person accepted the copy. What is outside the filter no reading brings, so its link would
        prove the older copy for ever. A reading that was interrupted was of the newer one: it is
        not continued.
        """
        while older := self._older(task):
            with self._state.page():
                self._state.hold()
                forgotten = [link._replace(server_version=0) for link in older]
                self._state.save_links(task.key, forgotten)
                interrupted = self._state.position(task.key)
                if interrupted.resume:
                    self._state.save_position(task.key, replace(interrupted, resume=""))

    def _older(self, task: EntityTask) -> list[LinkRow]:
        links = self._state.newest_links(task.key, _PROBES)
        now = _versions(self._server, task, [link.server_id for link in links]) if links else {}
        return [link for link in links if 0 < now.get(link.server_id, 0) < link.server_version]

    def _is_fresh(self, task: EntityTask) -> bool:
        """Return whether the client has nothing, and had nothing that is on its way."""
        if self._state.has_links(task.key) or not self._client.is_empty(task.client):
            return False
        return not self._state.count_waiting(task.key)

    def _is_trusted(self, task: EntityTask, saved: Position, highest: int | None) -> bool:
        """Return whether the server still is at, or after, the checkpoint (design 5.1.9).

        Its highest version falls when the newest record is deleted, too. So the newest links are
        compared: a record that went back proves an older copy. Where none of them is left there
        is no proof, but the checkpoint may lie in a future that this copy never had: everything
        is read again.
        """
        if highest is None:
            highest = self._server.highest_version(task.server)
        if highest == 0 or highest >= saved.high_water:
            return True
        links = self._state.newest_links(task.key, _PROBES)
        return not links or older_record(
            self._server, task, {link.server_id: link.server_version for link in links}
        )


def older_record(server: Connector, task: EntityTask, versions: dict[str, int]) -> bool:
    """Raise ServerChanged if any of these records is at a version below the one given.

    Returns whether any of them is there at all. Versions only grow within one organization.
    """
    found = _versions(server, task, list(versions))
    for item, version in found.items():
        if 0 < version < versions[item]:
            raise ServerChanged(
                f"The server is an older copy of itself: {task.name} {item} is at version "
                f"{version}, but version {versions[item]} was read before. If that is meant, run a "
                "full synchronization; it deletes nothing."
            )
    return bool(found)


def _versions(server: Connector, task: EntityTask, ids: Sequence[str]) -> dict[str, int]:
    """Return the versions of those of the records that are there."""
    primary = task.server.attribute(task.server.primary_id)
    page = server.fetch(task.server, (primary,) if primary else (), ids)
    place = page.columns.index(task.server.primary_id)
    found = zip(page.rows, page.versions, strict=True)
    return {str(row[place]): version for row, version in found}
