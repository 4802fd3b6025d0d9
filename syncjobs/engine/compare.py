"""What a change feed cannot tell, found by ids alone (design decision 8).

1. All ids inside the filter are read from the server, to the end, into a spool.
2. The spool is compared with the links, outside the engine's memory.
3. What *entered* is on the server and not linked as current; what is *missing* is linked as
   current and was not named.

Neither is evidence yet: both are asked for by id next, so a list that broke off unnoticed, or
that changed while it was read, marks nothing. An incremental reading needs no comparison where
the server's feed tells everything (`Connector.tells_all`), the filter looks at the record's own
values only, and a comparison was made since the last full reading: every deletion and every
record that enters or leaves is then an event of the feed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

from connections.connectors.base import Connector
from connections.connectors.paging import read_ahead
from syncjobs.engine.protocols import IdSpool, Reporter, State
from syncjobs.engine.values import EntityTask, LinkState, Options


class Comparison:
    """Compares the ids of one entity; memory does not grow with their number."""

    def __init__(
        self,
        server: Connector,
        state: State,
        reporter: Reporter,
        task: EntityTask,
        options: Options,
    ) -> None:
        """Nothing is read yet."""
        self._server, self._state, self._reporter = server, state, reporter
        self._task, self._options = task, options
        self._spool: IdSpool | None = None
        self.named = 0

    def read(self) -> None:
        """Read the server's ids to their end; `named` is how many there were."""
        self._spool = spool = self._state.spool(self._task.key)
        self.named = 0
        with closing(self._ids()) as pages:
            for ids in pages:
                self._reporter.checkpoint()
                spool.put(ids)
                self.named += len(ids)

    def entered(self) -> Iterator[Sequence[str]]:
        """Yield pages of ids that were named and are not linked as current."""
        for ids in self._read_spool().entered(self._options.page_size):
            links = self._state.links(self._task.key, ids)
            yield [
                item for item in ids if item not in links or links[item].state != LinkState.CURRENT
            ]

    def missing(self) -> Iterator[Sequence[str]]:
        """Yield pages of ids that are linked as current and were not named."""
        for ids in self._read_spool().missing(self._options.page_size):
            links = self._state.links(self._task.key, ids)
            yield [item for item in ids if item in links and links[item].state == LinkState.CURRENT]

    def _read_spool(self) -> IdSpool:
        if self._spool is None:
            raise ValueError("The ids of the server were not read.")
        return self._spool

    def _ids(self) -> Generator[Sequence[str], None, None]:
        pages = (ids for ids in self._server.ids(self._task.server, self._task.query))
        # An organization hosted here is read over this thread's own database connection.
        if self._server.is_local or not self._options.read_ahead:
            return pages
        return read_ahead(pages)
