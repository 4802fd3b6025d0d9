"""Ids compared in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from syncjobs.engine.protocols import IdSpool
from syncjobs.engine.values import LinkRow, LinkState


class MemoryIds(IdSpool):
    """Compares with `links` as they are when the comparison is asked for."""

    def __init__(self, links: Mapping[str, LinkRow]) -> None:
        """Begin with no id."""
        self._links, self._ids = links, set[str]()

    def put(self, ids: Sequence[str]) -> None:
        """Add ids."""
        self._ids.update(ids)

    def entered(self, size: int) -> Iterator[Sequence[str]]:
        """Yield what was put and is not linked as current, by id."""
        return _pages(self._ids - self._current(), size)

    def missing(self, size: int) -> Iterator[Sequence[str]]:
        """Yield what is linked as current and was not put, by id."""
        return _pages(self._current() - self._ids, size)

    def _current(self) -> set[str]:
        links = self._links.items()
        return {item for item, link in links if link.state == LinkState.CURRENT}


def _pages(found: set[str], size: int) -> Iterator[Sequence[str]]:
    ids = sorted(found)
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
