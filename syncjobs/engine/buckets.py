"""Two sides in one database, digested there: only what differs is looked at one by one.

The digests are of the values as both sides keep them. Equal digests prove equal values; where
they differ, the values may still be equal in the client's terms (a lookup to a matched record),
so what differs is read on both sides like anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connections.connectors.base import Connector
from organizations.schema import Attribute
from syncjobs.engine.layout import Layout
from syncjobs.engine.matching import MATCH_KEYS
from syncjobs.engine.values import EntityTask

Hashes = Iterator[Sequence[tuple[str, str]]]
"""Pages of id and hash."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """How the buckets of both sides compare: records on each, and those that differ."""

    differing: frozenset[int]
    server: int
    client: int
    _sides: tuple[Connector, Connector]
    _task: EntityTask
    _layout: Layout

    def of_server(self) -> Hashes:
        """Yield the server's records in buckets that differ."""
        attributes = _compared(self._layout.attributes)
        task = self._task
        if not self.differing:
            return iter(())
        return self._sides[0].hashes(task.server, attributes, task.query, self.differing)

    def of_client(self) -> Hashes:
        """Yield the client's records in buckets that differ."""
        attributes = _compared(self._layout.client_attributes)
        if not self.differing:
            return iter(())
        return self._sides[1].hashes(self._task.client, attributes, None, self.differing)


def compare(
    server: Connector, client: Connector, task: EntityTask, layout: Layout
) -> Buckets | None:
    """Return how the buckets compare; None where they cannot, or where it would not pay.

    Records that exist on both sides by themselves, and pairs, have different ids.
    """
    if not (server.is_local and client.is_local):
        return None
    if task.server.is_intersect or task.name in MATCH_KEYS:
        return None
    there = server.buckets(task.server, _compared(layout.attributes), task.query)
    here = client.buckets(task.client, _compared(layout.client_attributes))
    if there is None or here is None:
        return None
    differing = {item for item in there.keys() | here.keys() if there.get(item) != here.get(item)}
    if 2 * len(differing) > len(there) > 1:
        return None
    return Buckets(
        frozenset(differing),
        sum(count for count, _ in there.values()),
        sum(count for count, _ in here.values()),
        (server, client),
        task,
        layout,
    )


def _compared(attributes: Sequence[Attribute]) -> list[Attribute]:
    return [item for item in attributes if item.is_compared or item.is_primary_id]
