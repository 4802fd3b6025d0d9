"""What everybody who delivers needs, and the entities he delivers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from connections.connectors.base import Connector
from connections.errors import Retryable
from syncjobs.engine.order import in_order
from syncjobs.engine.protocols import Queue, Reporter, State
from syncjobs.engine.push.ends import Ends, Names
from syncjobs.engine.translation import Translations
from syncjobs.engine.values import EntityTask, Options

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Both sides, the memory, the queue; `translations` are of all matched records."""

    server: Connector
    client: Connector
    state: State
    queue: Queue
    reporter: Reporter
    translations: Translations
    options: Options = field(default_factory=Options)

    def later(self, attempts: int, error: Retryable | None = None) -> datetime:
        """Return when to try again after so many attempts: each time twice as long."""
        options = self.options
        doubled = options.first_retry * 2.0 ** min(max(attempts - 1, 0), 40)
        asked = error.after if error is not None and error.after is not None else 0.0
        seconds = max(min(doubled, options.longest_retry), asked)
        return options.clock() + timedelta(seconds=seconds)


@dataclass(slots=True)
class Entities:
    """The entities that are carried, in their order."""

    by_key: dict[int, Ends] = field(default_factory=dict)
    by_name: dict[str, Ends] = field(default_factory=dict)
    ranks: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, delivery: Delivery, tasks: Sequence[EntityTask]) -> Entities:
        """Prepare the tasks."""
        names, found = Names.of(delivery.translations), cls()
        for rank, task in enumerate(in_order(tasks)):
            ends = Ends(delivery.server, delivery.client, task, names)
            found.by_key[task.key], found.by_name[task.name] = ends, ends
            found.ranks[task.key] = rank
        return found


def in_chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield the items, so many at a time."""
    known = list(items)
    for start in range(0, len(known), size):
        yield known[start : start + size]
