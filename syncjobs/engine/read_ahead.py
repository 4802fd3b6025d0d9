"""Reading ahead: one thread downloads the next pages while this one writes."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def read_ahead(items: Generator[Item, None, None], depth: int) -> Generator[Item, None, None]:
    """Yield the items in order, up to `depth` of them produced in advance by one thread.

    An error of the producer is raised here, where its item would have come. Closing this
    generator waits for the item in the making, closes the producer and ends the thread. With
    depth 0 everything happens in the caller's thread.
    """
    if depth == 0:
        yield from items
        return
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
            yield from _items(items, pool, depth)
    finally:
        items.close()


def _items(
    items: Generator[Item, None, None], pool: ThreadPoolExecutor, depth: int
) -> Generator[Item, None, None]:
    coming = deque(pool.submit(next, items, None) for _ in range(depth))
    try:
        while (item := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, items, None))
            yield item
    finally:
        for future in coming:
            future.cancel()
