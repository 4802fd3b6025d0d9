"""What a verification takes for the digest of each server record (design 5.1.3).

*Full*: every record is read and digested. That is the proof.

*Quick*: only ids and versions are read. The digest that was agreed on last stands for a record
where three things hold: the link is current, the server's version is the link's, and that version
was pulled, not only pushed (what a push left is proved by the pull that follows it). All other
records are read in full, by id. So a quick verification trusts that the server moves the version
with every write, and that what was agreed on was right.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from connections.connectors.base import Connector, ReadRequest
from organizations.schema import VERSION
from syncjobs.engine.layout import Layout
from syncjobs.engine.plan import Incoming
from syncjobs.engine.protocols import State
from syncjobs.engine.reading import Reader
from syncjobs.engine.scope import scope_of
from syncjobs.engine.translation import Translator
from syncjobs.engine.values import EntityTask, LinkRow, LinkState, Position

PAGE = 5000


class ServerSide:
    """Reads ids and digests of the server's records inside the filter; writes nothing."""

    def __init__(
        self, server: Connector, task: EntityTask, layout: Layout, translator: Translator
    ) -> None:
        """No checkpoint is wanted, so change tracking, which costs a walk of its own, is off."""
        untracked = replace(task, server=replace(task.server, tracks_changes=False))
        self._server, self._task, self._layout = server, untracked, layout
        self.reader = Reader(server, untracked, layout, translator)

    def everything(self) -> Generator[Incoming, None, None]:
        """Yield all records with their values."""
        return self.reader.everything(resume="", page_size=PAGE)

    def versions(self) -> Generator[tuple[Sequence[str], Sequence[int]], None, None]:
        """Yield ids and versions only."""
        request = ReadRequest(
            entity=self._task.server, attributes=(), query=self._task.query, page_size=PAGE
        )
        for page in self._server.read(request):
            place = page.columns.index(self._task.server.primary_id)
            yield [str(row[place]) for row in page.rows], page.versions


class Trust:
    """Whether the digests agreed on can stand for what is not read again."""

    def __init__(
        self, organization_id: str, state: State, task: EntityTask, layout: Layout
    ) -> None:
        """Look at the checkpoint once; it is only good for the same server, columns and filter."""
        position = state.position(task.key)
        self._pulled = position.high_water
        self.is_possible = (
            task.server.attribute(VERSION) is not None
            and _is_whole(position)
            and position.scope == scope_of(organization_id, task, layout)
        )

    def digest(self, link: LinkRow | None, version: int) -> str:
        """Return the digest that stands for a record at this version; '' where it is to be read."""
        if link is None or link.state != LinkState.CURRENT:
            return ""
        is_agreed = 0 < version == link.server_version and version <= self._pulled
        return link.digest if is_agreed else ""


def _is_whole(position: Position) -> bool:
    return bool(position.token) and not position.resume
