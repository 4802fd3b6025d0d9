"""The spool of a dry run: it compares with the links as the run would have left them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice

from syncjobs.engine.protocols import IdSpool
from syncjobs.engine.values import LinkRow, LinkState

Links = Callable[[Sequence[str]], Mapping[str, LinkRow]]
"""Server ids → links."""


class DrySpool(IdSpool):
    """The real spool knows the saved links; what this run would change of them is added here.

    Pages are as full as those of a run: a plan is compared page by page.
    """

    def __init__(self, inner: IdSpool, links: Links, ours: Mapping[str, LinkRow]) -> None:
        """`links` are as this run would have left them, `ours` those of them that it changed."""
        self._inner, self._links, self._ours = inner, links, ours
        self._named: set[str] = set()

    def put(self, ids: Sequence[str]) -> None:
        """Hand ids on, and remember those that this run links."""
        self._named.update(item for item in ids if item in self._ours)
        self._inner.put(ids)

    def entered(self, size: int) -> Iterator[Sequence[str]]:
        """Yield ids that were put and would not be linked as CURRENT."""
        for page in _packed(self._chosen(self._inner.entered(size), is_current=False), size):
            self._named.update(page)
            yield page

    def missing(self, size: int) -> Iterator[Sequence[str]]:
        """Yield ids that would be linked as CURRENT and were not put."""
        saved = self._chosen(self._inner.missing(size), is_current=True)
        ours = sorted(
            item
            for item, link in self._ours.items()
            if link.state == LinkState.CURRENT and item not in self._named
        )
        return _packed(_once(merge(saved, ours)), size)

    def _chosen(self, pages: Iterable[Sequence[str]], *, is_current: bool) -> Iterator[str]:
        for ids in pages:
            links = self._links(ids)
            for item in ids:
                link = links.get(item)
                if (link is not None and link.state == LinkState.CURRENT) is is_current:
                    yield item


def _once(ids: Iterable[str]) -> Iterator[str]:
    last = ""
    for item in ids:
        if item != last:
            yield item
        last = item


def _packed(ids: Iterator[str], size: int) -> Iterator[Sequence[str]]:
    while page := list(islice(ids, size)):
        yield page
