"""Keeping within another organization's limits, as fast as they allow (dataverse.md §5).

One limiter is shared by all threads of a connector, and by processes forked from it.

- Requests over time: the other side counts them in a sliding window. What it says is left
  (`remaining`) counts for more than our own count, since others may use the same login; between
  two answers our own count moves it: down with each request, up with each that left the window.
  A request counts from its answer on, so jitter on the way cannot make us early.
- Requests at once: one more after so many good answers, half of them after a refusal or a burst
  of failures, beginning with what the server recommends.
- A Retry-After stops everybody until its time is over.

Before it has learned a window it does not pace itself: a first 429 teaches it, or a first answer
that shows the documented allowance.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from connections.connectors.limits_cap import WHOLE, Cap
from connections.connectors.limits_shared import Shared
from connections.connectors.limits_told import TOO_MANY, Exceeded, Told, told
from connections.egress import Reply
from connections.errors import Retryable

DEFAULT_LIMIT, DEFAULT_WINDOW = 6000, 300.0
"""The documented allowance: requests, seconds (dataverse.md §5)."""
MOST_AT_ONCE = 52
FIRST_AT_ONCE = 4
_NEAR = 0.95
"""A first answer that shows this much of the documented allowance shows that it holds."""
_MARGIN = 1.01
_WIDTH = 0.1
"""Seconds of one bucket of the window."""
_BUCKETS = 8192
_LONGEST_WINDOW = 800.0
_POLL = 0.01
_PROBES = 30
"""While others use up the allowance, one request in this part of a window asks how it stands."""
_RISE = 8
_BURST, _BURST_SECONDS = 3, 10.0
_OVERDUE = 900.0
_NAMES = (
    *("left", "limit", "window", "known", "paused_until", "expired", "in_window", "last_begin"),
    *("at_once", "highest", "hinted", "halved", "failures", "failing_since"),
    *("requests", "throttled", "waited", "received"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was used so far: requests, answers 429, seconds waited for a turn, bytes received."""

    requests: int = 0
    throttled: int = 0
    waited: float = 0.0
    received: int = 0

    def __sub__(self, other: Usage) -> Usage:
        """Return what came after `other`."""
        return Usage(
            requests=self.requests - other.requests,
            throttled=self.throttled - other.throttled,
            waited=self.waited - other.waited,
            received=self.received - other.received,
        )


@dataclass(slots=True)
class Turn:
    """The right to send one request; say what was answered."""

    told: Told | None = None

    def answered(self, reply: Reply) -> None:
        """Remember what the answer says about limits."""
        self.told = told(reply, datetime.now(UTC))


class Limiter:
    """Gives turns to send one request. Make it before the processes that share it are forked."""

    def __init__(
        self,
        *,
        cap: Cap | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
        book: Callable[[Usage], None] | None = None,
    ) -> None:
        """`book` is given what was used, now and then and at the end.

        The other functions are for tests to replace; `clock` must be the same in all processes.
        """
        self._cap, self._clock, self._sleep, self._today = cap, clock, sleep, today
        self._book, self._booked, self._booked_at = book, Usage(), clock()
        self._all = Shared(_NAMES, buckets=_BUCKETS, owners=64, begun=64)
        self._all["left"] = math.inf
        self._all["limit"], self._all["window"] = DEFAULT_LIMIT, DEFAULT_WINDOW
        self._all["at_once"], self._all["highest"] = FIRST_AT_ONCE, MOST_AT_ONCE
        self._all["expired"] = self._bucket(clock()) - _BUCKETS

    @contextmanager
    def turn(self, *, longest: float = math.inf, pause: float = math.inf) -> Iterator[Turn]:
        """Wait for the right to send one request, and hold it for as long as the block runs.

        Raises Retryable instead of waiting longer than `longest` seconds in all, or for a pause
        of more than `pause` seconds that the other side asked for.
        """
        place = self._begin(longest, pause)
        turn = Turn()
        try:
            yield turn
        finally:
            with self._all.locked():
                self._end(place, turn.told)

    def usage(self) -> Usage:
        """Return what all threads and processes have used."""
        with self._all.locked():
            return Usage(
                requests=int(self._all["requests"]),
                throttled=int(self._all["throttled"]),
                waited=self._all["waited"],
                received=int(self._all["received"]),
            )

    def settle(self, *, every: float = 0.0) -> None:
        """Have booked what was used since the last time, if that is `every` seconds ago.

        Not for forked processes: what they used is booked by the one they came from.
        """
        if self._book is None or self._clock() - self._booked_at < every:
            return
        used = self.usage()
        new, self._booked, self._booked_at = used - self._booked, used, self._clock()
        if new.requests:
            self._book(new)

    def at_once(self) -> int:
        """Return how many requests may be under way now."""
        with self._all.locked():
            return int(self._all["at_once"])

    def under_way(self) -> int:
        """Return how many requests are under way now."""
        with self._all.locked():
            return self._under_way(self._clock())

    def note_wait(self, seconds: float) -> None:
        """Count a wait that was not for a turn."""
        with self._all.locked():
            self._all["waited"] += seconds

    def _begin(self, longest: float, pause: float) -> int:
        waited = 0.0
        while True:
            with self._all.locked():
                now = self._clock()
                wait, asked = self._wait(now)
                if not wait:
                    self._all["waited"] += waited
                    return self._take(now)
            if waited + wait >= longest or (asked and wait > pause):
                raise Retryable(
                    f"The server's limits ask to wait {wait:.0f} seconds.", code="429", after=wait
                )
            self._sleep(wait)
            waited += wait

    def _wait(self, now: float) -> tuple[float, bool]:
        """Return how long to wait before asking again (0: go), and whether we were told to."""
        here = self._all
        self._expire(now)
        if here["paused_until"] > now:
            return here["paused_until"] - now, True
        under_way = self._under_way(now)
        if under_way >= int(here["at_once"]):
            return _POLL, False
        fraction = self._cap.fraction(self._today()) if self._cap else WHOLE
        own = here["in_window"] + under_way
        if fraction < WHOLE and own + 1 > max(1.0, fraction * here["limit"]):
            return self._until_next(now), False
        if here["known"] and here["left"] < 1 and not self._may_probe(now, own, under_way):
            return self._until_next(now), False
        return 0.0, False

    def _may_probe(self, now: float, own: float, under_way: int) -> bool:
        # Where others use up the allowance, only an answer can tell that they have stopped.
        here = self._all
        pause = here["window"] / _PROBES
        return not under_way and own < here["limit"] / 2 and now - here["last_begin"] > pause

    def _until_next(self, now: float) -> float:
        """Return the seconds until the oldest request leaves the window."""
        here, buckets = self._all, self._all.row("buckets")
        first = int(here["expired"]) + 1
        for bucket in range(first, self._bucket(now) + 1):
            if buckets[bucket % _BUCKETS]:
                left = (bucket + 2) * _WIDTH + here["window"] * _MARGIN - now
                return min(max(left, _POLL), 1.0)
        return _WIDTH

    def _expire(self, now: float) -> None:
        """Give back what has left the window."""
        here, buckets = self._all, self._all.row("buckets")
        last = self._bucket(now - here["window"] * _MARGIN) - 1
        first = max(int(here["expired"]) + 1, last - _BUCKETS + 1)
        for bucket in range(first, last + 1):
            count = buckets[bucket % _BUCKETS]
            if count:
                buckets[bucket % _BUCKETS] = 0
                here["in_window"] -= count
                here["left"] += count
        here["expired"] = max(here["expired"], last)

    def _under_way(self, now: float) -> int:
        owners, begun = self._all.row("owners"), self._all.row("begun")
        for place, owner in enumerate(owners):
            # A process that was killed gives nothing back.
            lost = now - begun[place] > _OVERDUE or not _is_alive(int(owner))
            if owner and lost:
                self._free(place, now)
        return sum(1 for owner in owners if owner)

    def _take(self, now: float) -> int:
        owners = self._all.row("owners")
        place = next(place for place, owner in enumerate(owners) if not owner)
        owners[place] = os.getpid()
        self._all.row("begun")[place] = now
        self._all["left"] -= 1
        self._all["requests"] += 1
        self._all["last_begin"] = now
        return place

    def _free(self, place: int, now: float, *, counts: bool = True) -> float:
        """Let the request count in the window from now on; return when it began."""
        self._all.row("owners")[place] = 0
        if counts:
            self._all.row("buckets")[self._bucket(now) % _BUCKETS] += 1
            self._all["in_window"] += 1
        return float(self._all.row("begun")[place])

    def _end(self, place: int, said: Told | None) -> None:
        now = self._clock()
        self._expire(now)
        others = self._under_way(now) - 1
        begun = self._free(place, now, counts=said is None or said.exceeded is None)
        if said is None:
            self._failed(now, begun)
            return
        here = self._all
        here["received"] += said.received
        if said.hint and not here["hinted"]:
            here["hinted"], here["at_once"] = 1, min(said.hint, MOST_AT_ONCE)
        if said.remaining is not None:
            self._hear(said.remaining, others)
        if said.after is not None and (said.status == TOO_MANY or said.status >= 500):
            here["paused_until"] = max(here["paused_until"], now + said.after)
        if said.exceeded:
            self._refused(said, now, begun)
        elif said.status >= 500:
            self._failed(now, begun)
        elif others + 1 >= int(here["at_once"]):
            here["at_once"] = min(here["highest"], here["at_once"] + 1 / here["at_once"])

    def _hear(self, remaining: int, others: int) -> None:
        """Believe less at once, and more little by little: several servers count apart."""
        here = self._all
        left = remaining - others
        shown = remaining + here["in_window"] + others
        if not here["known"] and _NEAR * DEFAULT_LIMIT <= shown <= DEFAULT_LIMIT:
            here["known"] = 1
        if left < here["left"]:
            here["left"] = left
        else:
            here["left"] += (left - here["left"]) / _RISE

    def _refused(self, said: Told, now: float, begun: float) -> None:
        here = self._all
        here["throttled"] += 1
        if said.exceeded is Exceeded.REQUESTS and said.limit and said.window:
            here["limit"], here["known"] = said.limit, 1
            here["window"] = min(said.window, _LONGEST_WINDOW)
            self._expire(now)
            here["left"] = min(here["left"], 0.0)
        elif said.exceeded in {Exceeded.CONCURRENT, Exceeded.TIME}:
            if said.limit:
                # The server counts a request a little longer than we do.
                here["highest"] = max(1, min(here["highest"] - 1, said.limit))
            self._halve(now, begun)

    def _failed(self, now: float, begun: float) -> None:
        here = self._all
        if now - here["failing_since"] > _BURST_SECONDS:
            here["failing_since"], here["failures"] = now, 0
        here["failures"] += 1
        if here["failures"] >= _BURST:
            here["failures"] = 0
            self._halve(now, begun)

    def _halve(self, now: float, begun: float) -> None:
        """Once for all that were under way together."""
        here = self._all
        if begun > here["halved"] or not here["halved"]:
            here["halved"] = now
            here["at_once"] = max(1.0, min(here["at_once"], here["highest"]) / 2)

    def _bucket(self, moment: float) -> int:
        return int(moment // _WIDTH)


def _is_alive(process: int) -> bool:
    if process in {0, os.getpid()}:
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
