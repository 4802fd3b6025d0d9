"""The real state, queue and guard, whose transactions can be broken anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from connections.models import Connection
from syncjobs.deliver import LaneState
from syncjobs.engine.airbag import Holding
from syncjobs.engine.transactions import Transaction
from syncjobs.engine.values import Images, LinkRow, Position
from syncjobs.held import DatabaseGuard
from syncjobs.models import Run
from syncjobs.state import DatabaseState
from syncjobs.transactions import DatabaseQueue


@dataclass
class Boundaries:
    """Where transactions begin and end. `before` is called with the name of each place."""

    before: Callable[[str], None]


class Breaking(DatabaseState):
    """To be mixed in before a state: it comes to each boundary and each write."""

    boundaries: Boundaries

    @contextmanager
    def page(self) -> Iterator[None]:
        """Open a page."""
        boundaries = self.boundaries
        boundaries.before("page")
        with super().page():
            yield
            boundaries.before("commit")
        boundaries.before("after commit")

    def hold(self) -> None:
        """Take the lease, or prove that the lane is ours."""
        self.boundaries.before("hold")
        super().hold()

    def save_position(self, entity: int, position: Position) -> None:
        """Insert or replace the checkpoint."""
        self.boundaries.before("position")
        super().save_position(entity, position)

    def save_links(self, entity: int, rows: Sequence[LinkRow], *, new: bool = False) -> None:
        """Insert or replace links."""
        self.boundaries.before("links")
        super().save_links(entity, rows, new=new)

    def drop_links(self, entity: int, server_ids: Iterable[str]) -> None:
        """Forget links."""
        self.boundaries.before("drop")
        super().drop_links(entity, server_ids)

    def follow(self, entity: int, versions: Mapping[str, tuple[int, int]]) -> None:
        """Let links follow."""
        self.boundaries.before("follow")
        super().follow(entity, versions)

    def remember(self, entity: int, images: Images) -> None:
        """Keep what was written."""
        self.boundaries.before("images")
        super().remember(entity, images)

    def leave_behind(self, entity: int, server_ids: Sequence[str]) -> None:
        """Remember records to be read again by id."""
        self.boundaries.before("leave behind")
        super().leave_behind(entity, server_ids)

    def catch_up(self, entity: int, server_ids: Sequence[str]) -> None:
        """Forget that these were left behind."""
        self.boundaries.before("catch up")
        super().catch_up(entity, server_ids)


class RunState(Breaking, DatabaseState):
    """The state of a run."""

    def __init__(self, run: Run, boundaries: Boundaries) -> None:
        """`run` as it was claimed."""
        super().__init__(run)
        self.boundaries = boundaries


class DeliveryState(Breaking, LaneState):
    """The state of a delivery without a run."""

    def __init__(self, connection: Connection, boundaries: Boundaries) -> None:
        """`connection` is the one whose lane was taken."""
        super().__init__(connection)
        self.boundaries = boundaries


class BreakingQueue(DatabaseQueue):
    """The queue, which comes to each of its writes."""

    def __init__(self, connection: Connection, boundaries: Boundaries) -> None:
        """Work for one connection."""
        super().__init__(connection)
        self._boundaries = boundaries

    def save_collected(self, entities: Sequence[int], version: int) -> None:
        """Insert or replace positions."""
        self._boundaries.before("collected")
        super().save_collected(entities, version)

    def add(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Insert new ones."""
        self._boundaries.before("transactions")
        super().add(transactions, why)

    def save(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Write known ones back."""
        self._boundaries.before("transactions")
        super().save(transactions, why)


class BreakingGuard(DatabaseGuard):
    """The guard, whose pages are those of a run's state."""

    def __init__(self, run: Run, state: RunState) -> None:
        """`state` is that of the same run."""
        super().__init__(run)
        self._state, self._boundaries = state, state.boundaries

    def hold(self, entity: int, holding: Holding | None) -> None:
        """Let these wait."""
        self._boundaries.before("held")
        super().hold(entity, holding)
