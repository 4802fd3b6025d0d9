"""Several ranges of one entity, each read by a thread, merged into one stream of pages.

A thread that has finished its range takes the next one. When none is left, the others give away
half of what they have, so that all end at about the same time however uneven the ranges were.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Full, Queue

from connections.connectors.dynamics import ranges
from connections.connectors.dynamics.tokens import Slice

_LOOK_SECONDS = 0.05
_STOP_SECONDS = 10.0

Ask = Callable[[Slice], tuple[bytes, Slice | None]]
"""Reads the page at which a range stands; returns it, and the range after it (None: its end)."""


@dataclass(frozen=True, slots=True)
class Got:
    """One page; `left` is all that is still to be read after it, in any stream.

    `is_cut`: some of the page's records may come again in another page.
    """

    body: bytes
    left: tuple[Slice, ...]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    """What a thread did: range number, page, what is left of the range, the half given away."""

    number: int
    body: bytes
    left: Slice | None
    given: tuple[int, Slice] | None = None


class Streams:
    """Pages of ranges in the order in which they come. Close it."""

    def __init__(self, ask: Ask, slices: Sequence[Slice], count: int) -> None:
        """Begin to read with at most `count` threads; `ask` is called by all of them."""
        self._ask = ask
        self._left = dict(enumerate(slices))
        self._todo = deque(self._left.items())
        self._next_number = len(slices)
        self._idle, self._count = 0, count
        self._changed = threading.Condition()
        self._stopped = False
        self._steps: Queue[_Step | BaseException] = Queue(count)
        self._threads = [
            threading.Thread(target=self._run, name="stream", daemon=True) for _ in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Iterator[Got]:
        """Yield pages to the last; raises what any of the threads met."""
        while self._left:
            step = self._steps.get()
            if isinstance(step, BaseException):
                raise step
            if step.left is None:
                del self._left[step.number]
            else:
                self._left[step.number] = step.left
            if step.given is not None:
                number, half = step.given
                self._left[number] = half
            yield Got(step.body, tuple(self._left.values()), is_cut=step.given is not None)

    def close(self) -> None:
        """Stop the threads, each after its request, and wait for them, but not for ever."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        try:
            while (task := self._take()) is not None:
                self._read(*task)
        except BaseException as error:  # noqa: BLE001 - raised again in the consumer
            self._put(error)

    def _take(self) -> tuple[int, Slice] | None:
        """Return a range to read; None when there will be none any more."""
        with self._changed:
            self._idle += 1
            self._changed.notify_all()
            while not self._todo:
                if self._stopped or self._idle == self._count:
                    return None
                self._changed.wait()
            self._idle -= 1
            return None if self._stopped else self._todo.popleft()

    def _read(self, number: int, part: Slice) -> None:
        left: Slice | None = part
        while left is not None and not self._stopped:
            body, left = self._ask(left)
            halves = ranges.split(left, body) if left is not None and self._is_hungry() else None
            if halves is None:
                self._put(_Step(number, body, left))
                continue
            left, half = halves
            given = (self._new_number(), half)
            # Told before another thread can read it, so that its page finds it known.
            self._put(_Step(number, body, left, given))
            with self._changed:
                self._todo.append(given)
                self._changed.notify()

    def _is_hungry(self) -> bool:
        with self._changed:
            return self._idle > 0 and not self._todo

    def _new_number(self) -> int:
        with self._changed:
            self._next_number += 1
            return self._next_number

    def _put(self, step: _Step | BaseException) -> None:
        while not self._stopped:
            try:
                self._steps.put(step, timeout=_LOOK_SECONDS)
            except Full:
                continue
            return
