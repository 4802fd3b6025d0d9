"""Many writes at once: each is a generator of requests, and all take their next step together.

A step is a `Part`; what comes back into the generator is its `Reply`. When nobody knows whether
a write was carried out (the answer was lost, or the server failed), `Lost` is thrown in at that
place: the generator asks for the record before it sends anything again. GETs are simply asked
again. Whoever is alone is sent by itself, the others in ``$batch``, several of them at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from connections.connectors.dynamics.batch import (
    MOST,
    BatchTooLarge,
    BatchUnknown,
    Part,
    exchange,
    portions,
)
from connections.connectors.dynamics.client import DynamicsClient
from connections.connectors.dynamics.errors import Recovery
from connections.connectors.dynamics.faults import meaning_of
from connections.connectors.limits_told import retry_after
from connections.egress import CONNECT_FAILED, Reply
from connections.errors import Conflict, Rejected, Retryable

T = TypeVar("T")
Steps = Generator[Part, Reply, T]
"""The requests of one write, or of a part of it, and what comes of them."""
Done = tuple[str, int]
"""Id and version of a record after its write."""
Outcome = Done | Conflict | Rejected
OPERATIONS = 200
"""Writes in one request: enough to spare requests, few enough for a server's two minutes."""
_ASKED_TO_WAIT = frozenset({"429", CONNECT_FAILED})
_SAME_SIZE, _SMALLER = 3, 6
"""A portion that is lost so often is sent in so many, until whatever breaks it stands alone."""
_LARGEST_TRIES = 9
"""Losses until a record stands alone: of 200, 33 and 5."""


class Lost(Exception):
    """Nobody knows whether the last request was carried out."""


Item = tuple[int, Part]


@dataclass(slots=True)
class Rounds:
    """Runs writes to their ends; make one per batch."""

    client: DynamicsClient
    writes: Sequence[Steps[Done]]
    _waiting: dict[int, Part] = field(default_factory=dict)
    _outcomes: dict[int, Outcome] = field(default_factory=dict)
    _tries: Counter[int] = field(default_factory=Counter)
    _failing: Counter[int] = field(default_factory=Counter)
    _losses: int = 0
    _limits: dict[int, int] = field(default_factory=dict)
    _has_batch: bool = True
    _pause: float = 0.0

    def run(self) -> list[Outcome]:
        """Return what came of each write.

        Raises Retryable or Refused when nothing of the rest can be written.
        """
        for at, write in enumerate(self.writes):
            self._advance(at, partial(next, write))
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            self._send_all(list(self._portions(asked)))
            if self._pause:
                self.client.patience.sleep(self._pause)
                self._pause = 0.0
        return [self._outcomes[at] for at in range(len(self.writes))]

    def _portions(self, asked: dict[int, Part]) -> Iterator[list[Item]]:
        by_limit: dict[int, list[Item]] = defaultdict(list)
        for at, part in asked.items():
            by_limit[self._limit(at, part)].append((at, part))
        for limit, items in by_limit.items():
            for places in portions([part for _, part in items], limit):
                yield [items[place] for place in places]

    def _limit(self, at: int, part: Part) -> int:
        if not self._has_batch:
            return 1
        return MOST if part.method == "GET" else self._limits.get(at, OPERATIONS)

    def _send_all(self, asked: Sequence[list[Item]]) -> None:
        """Send portions side by side, as far as the server's limits allow; take them in order."""
        if len(asked) == 1:
            self._settle(asked[0], partial(self._replies, asked[0]))
            return
        with ThreadPoolExecutor(min(len(asked), self.client.at_once)) as threads:
            sent = [threads.submit(self._replies, portion) for portion in asked]
            for portion, replies in zip(asked, sent, strict=True):
                self._settle(portion, replies.result)

    def _settle(self, portion: list[Item], replies_of: Callable[[], list[Reply]]) -> None:
        try:
            replies = replies_of()
        except BatchUnknown:
            self._has_batch = False
            self._waiting.update(portion)
        except BatchTooLarge:
            self._limits.update(dict.fromkeys(dict(portion), max(1, len(portion) // 2)))
            self._waiting.update(portion)
        except Retryable as error:
            self._lost(portion, error)
        else:
            for (at, part), reply in zip(portion, replies, strict=True):
                self._take(at, part, reply)

    def _replies(self, portion: list[Item]) -> list[Reply]:
        parts = [part for _, part in portion]
        if len(parts) > 1:
            return exchange(self.client, parts)
        (part,) = parts
        return [
            self.client.send(part.method, part.path, headers=part.headers, document=part.document)
        ]

    def _lost(self, portion: list[Item], error: Retryable) -> None:
        """Let each write of a portion find out what became of it."""
        if error.code in _ASKED_TO_WAIT or all(part.method == "GET" for _, part in portion):
            raise error
        self._losses += 1
        attempts = self.client.patience.attempts
        if self._losses >= (attempts if len(portion) == 1 else 2 * attempts):
            raise error
        for at, part in portion:
            self._tries[at] += 1
            if len(portion) == 1 and self._tries[at] >= _LARGEST_TRIES + attempts:
                self._outcomes[at] = _given_up(error)
                continue
            if self._tries[at] % _SAME_SIZE == 0:
                self._limits[at] = max(1, len(portion) // _SMALLER)
            self._again(at, part, error.after)

    def _take(self, at: int, part: Part, reply: Reply) -> None:
        if part.method != "GET":
            self._losses = 0
        passing = reply.status >= 400 and meaning_of(reply).recovery is Recovery.RETRY
        if passing and self._failing[at] < self.client.patience.attempts - 1:
            self._failing[at] += 1
            asked = retry_after(reply.headers.get("Retry-After", ""), datetime.now(UTC))
            self._again(at, part, asked)
        else:
            self._advance(at, partial(self.writes[at].send, reply))

    def _again(self, at: int, part: Part, asked: float | None) -> None:
        tries = self._tries[at] + self._failing[at]
        wait = asked if asked is not None else self.client.patience.wait(tries)
        self._pause = max(self._pause, wait)
        if part.method == "GET":
            self._waiting[at] = part
        else:
            self._advance(at, partial(self.writes[at].throw, Lost()))

    def _advance(self, at: int, step: Callable[[], Part]) -> None:
        try:
            self._waiting[at] = step()
        except StopIteration as end:
            self._outcomes[at] = end.value
        except (Conflict, Rejected) as error:
            self._outcomes[at] = error


def _given_up(error: Retryable) -> Rejected:
    return Rejected(
        f"Writing it was tried many times while other records were written. {error} If it stays, "
        "look into the organization's plug-in trace log.",
        code=error.code or "lost",
    )
