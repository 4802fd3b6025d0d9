"""Reading ahead: the next page travels while the engine works on this one."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from queue import Empty, Queue
from typing import Generic, TypeVar

T = TypeVar("T")

_STOP_SECONDS = 10.0
"""How long closing waits for a download under way; its thread then ends on its own."""


class _End:
    """The last thing in the queue: the source is exhausted, or broke with `error`."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class ReadAhead(Generic[T]):
    """Runs an iterator in a thread, at most `depth` items ahead of its consumer.

    What the source raises is raised where its next item was expected. `close` stops the thread
    at the next item and closes the source.
    """

    def __init__(self, source: Iterator[T], depth: int = 1) -> None:
        """Start reading at once; `source` is used by the thread only."""
        self._source = source
        self._queue: Queue[T | _End] = Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Generator[T, None, None]:
        """Yield the source's items in order; closes itself at the end."""
        with closing(self):
            while not isinstance(item := self._queue.get(), _End):
                yield item
            if item.error is not None:
                raise item.error

    def close(self) -> None:
        """Stop the thread and wait for it, but not for ever."""
        self._stopped.set()
        # One place freed is enough: a thread waiting there sees the flag right after.
        with suppress(Empty):
            self._queue.get_nowait()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        try:
            for item in self._source:
                self._queue.put(item)
                if self._stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again in the consumer
            self._end(_End(error))
        else:
            self._end(_End())
        finally:
            closer = getattr(self._source, "close", None)
            if closer is not None:
                closer()

    def _end(self, end: _End) -> None:
        if not self._stopped.is_set():
            self._queue.put(end)


def read_ahead(source: Iterator[T], depth: int = 1) -> Generator[T, None, None]:
    """Yield the items of `source`, which runs in a thread of its own."""
    return ReadAhead(source, depth).__iter__()
