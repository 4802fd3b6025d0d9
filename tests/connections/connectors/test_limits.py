"""The limiter: windows, what answers tell, pauses, requests at once, caps, other processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from connections.connectors.limits import Limiter
from connections.connectors.limits_cap import Cap
from connections.connectors.limits_told import Exceeded, told
from connections.egress import Reply
from connections.errors import Retryable

REMAINING = "x-ms-ratelimit-burst-remaining-xrm-requests"
REQUESTS = b"Number of requests exceeded the limit of %d over time window of %d seconds."
CONCURRENT = b"Number of concurrent requests exceeded the limit of 8."
TIME = (
    b"Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over "
    b"time window of 300 seconds."
)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)  # a Wednesday


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def make_limiter(clock: Clock, cap: Cap | None = None, today: datetime = NOON) -> Limiter:
    return Limiter(cap=cap, clock=clock, sleep=clock.sleep, today=lambda: today)


def make_reply(
    status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Reply:
    return Reply(status, headers or {}, body, "https://x.example/", received=len(body))


class Window:
    """A server that counts requests in a sliding window, those of others too."""

    def __init__(self, clock: Clock, limit: int, seconds: int, *, headers: bool = True) -> None:
        self.clock, self.limit, self.seconds, self.headers = clock, limit, seconds, headers
        self.times: deque[float] = deque()
        self.answered: list[tuple[float, int]] = []

    def others(self, count: int) -> None:
        self.times.extend([self.clock.now] * count)

    def used(self) -> int:
        while self.times and self.times[0] <= self.clock.now - self.seconds:
            self.times.popleft()
        return len(self.times)

    def ask(self) -> Reply:
        self.clock.now += 0.02
        if self.used() >= self.limit:
            self.answered.append((self.clock.now, 429))
            return make_reply(
                429, REQUESTS % (self.limit, self.seconds), headers={"Retry-After": "2"}
            )
        self.times.append(self.clock.now)
        self.answered.append((self.clock.now, 200))
        left = {REMAINING: str(self.limit - self.used())} if self.headers else {}
        return make_reply(200, headers=left)

    def count(self, status: int, since: float, until: float) -> int:
        return sum(1 for at, said in self.answered if said == status and since <= at < until)


def ask(limiter: Limiter, server: Window) -> None:
    with limiter.turn() as turn:
        turn.answered(server.ask())


def ask_until(limiter: Limiter, server: Window, moment: float) -> None:
    while server.clock.now < moment:
        ask(limiter, server)


@pytest.mark.parametrize("headers", [True, False], ids=["with headers", "without"])
def test_it_uses_the_allowance_and_is_refused_hardly_ever(headers: bool) -> None:
    clock = Clock()
    limiter, server = make_limiter(clock), Window(clock, 600, 30, headers=headers)
    ask_until(limiter, server, 1000 + 150)
    assert server.count(429, 1000, 1030) == 1
    assert server.count(429, 1030, 1150) == 0
    assert server.count(200, 1030, 1150) >= 0.9 * 4 * 600


def test_the_documented_allowance_is_known_from_the_first_answer() -> None:
    clock = Clock()
    limiter, server = make_limiter(clock), Window(clock, 6000, 300)
    ask_until(limiter, server, 1000 + 900)
    assert server.count(429, 0, 2000) == 0
    assert server.count(200, 1000, 1900) >= 0.9 * 3 * 6000


def test_it_leaves_to_others_what_the_server_says_they_took() -> None:
    clock = Clock()
    limiter, server = make_limiter(clock), Window(clock, 600, 30)
    ask_until(limiter, server, 1040)
    for _ in range(120):
        server.others(10)
        ask_until(limiter, server, clock.now + 1)
    mine = server.count(200, 1070, 1160)
    assert server.count(429, 1040, 1160) <= 0.01 * mine
    assert mine >= 0.8 * 3 * 300


def test_it_asks_again_when_others_have_stopped() -> None:
    clock = Clock()
    limiter, server = make_limiter(clock), Window(clock, 600, 30)
    server.others(600)
    ask(limiter, server)
    ask_until(limiter, server, 1100)
    assert server.count(200, 1060, 1090) >= 0.9 * 600


def test_nobody_asks_during_a_pause() -> None:
    clock = Clock()
    limiter = make_limiter(clock)
    with limiter.turn() as turn:
        turn.answered(make_reply(503, headers={"Retry-After": "17"}))
    with limiter.turn():
        assert clock.now == 1017
    assert limiter.usage().waited == 17


def test_a_pause_too_long_to_wait_is_for_the_caller() -> None:
    limiter = make_limiter(Clock())
    with limiter.turn() as turn:
        turn.answered(make_reply(429, TIME, headers={"Retry-After": "400"}))
    with (
        pytest.raises(Retryable, match="ask to wait 400 seconds") as caught,
        limiter.turn(pause=300),
    ):
        pass
    assert caught.value.after == 400


def test_whoever_hurries_does_not_wait() -> None:
    limiter = make_limiter(Clock())
    with limiter.turn() as turn:
        turn.answered(make_reply(429, headers={"Retry-After": "9"}))
    with pytest.raises(Retryable, match="ask to wait 9 seconds"), limiter.turn(longest=5):
        pass


def test_it_begins_with_what_the_server_recommends() -> None:
    limiter = make_limiter(Clock())
    assert limiter.at_once() == 4
    for hint in ("20", "30"):
        with limiter.turn() as turn:
            turn.answered(make_reply(headers={"x-ms-dop-hint": hint}))
        assert limiter.at_once() == 20


def test_a_recommendation_beyond_the_documented_limit_is_not_followed() -> None:
    limiter = make_limiter(Clock())
    with limiter.turn() as turn:
        turn.answered(make_reply(headers={"x-ms-dop-hint": "500"}))
    assert limiter.at_once() == 52


def all_at_once(limiter: Limiter, reply: Reply) -> None:
    with ExitStack() as stack:
        for _ in range(limiter.at_once()):
            stack.enter_context(limiter.turn()).answered(reply)


def test_it_dares_one_more_after_as_many_good_answers() -> None:
    limiter = make_limiter(Clock())
    seen = []
    with ExitStack() as stack:
        for _ in range(12):
            while limiter.under_way() < limiter.at_once() - 1:
                stack.enter_context(limiter.turn())
            with limiter.turn() as turn:
                turn.answered(make_reply())
            seen.append(limiter.at_once())
    assert seen == [4] * 4 + [5] * 5 + [6] * 3


@pytest.mark.parametrize("text", [CONCURRENT, TIME], ids=["at once", "execution time"])
def test_it_halves_once_when_refused_for_what_was_under_way(text: bytes) -> None:
    clock = Clock()
    limiter = make_limiter(clock)
    with limiter.turn() as turn:
        turn.answered(make_reply(headers={"x-ms-dop-hint": "8"}))
    clock.now += 1
    all_at_once(limiter, make_reply(429, text))
    assert limiter.at_once() == 4


def test_it_stays_below_the_number_at_once_that_was_refused() -> None:
    clock = Clock()
    limiter = make_limiter(clock)
    all_at_once(limiter, make_reply(429, CONCURRENT))
    for _ in range(60):
        clock.now += 1
        all_at_once(limiter, make_reply())
    assert limiter.at_once() <= 8


def test_a_burst_of_failures_halves_and_single_ones_do_not() -> None:
    clock = Clock()
    limiter = make_limiter(clock)
    for _ in range(5):
        clock.now += 11
        with limiter.turn() as turn:
            turn.answered(make_reply(503))
    assert limiter.at_once() == 4
    for _ in range(3):
        clock.now += 1
        with pytest.raises(Retryable), limiter.turn():
            raise Retryable("broken off")
    assert limiter.at_once() == 2


WORKDAYS = Cap(
    percent=30,
    days=frozenset(range(5)),
    from_hour=8,
    until_hour=18,
    zone="Europe/Bratislava",
)


@pytest.mark.parametrize(
    ("moment", "part"),
    [
        (datetime(2024, 5, 1, 6, tzinfo=UTC), 0.3),  # 8 o'clock in Bratislava
        (datetime(2024, 5, 1, 5, 59, tzinfo=UTC), 1),
        (datetime(2024, 5, 1, 16, tzinfo=UTC), 1),
        (datetime(2024, 5, 4, 10, tzinfo=UTC), 1),  # Saturday
    ],
)
def test_a_cap_holds_on_its_days_at_its_hours_in_its_zone(moment: datetime, part: float) -> None:
    assert WORKDAYS.fraction(moment) == part


def test_it_obeys_a_cap() -> None:
    clock = Clock()
    limiter, server = make_limiter(clock, WORKDAYS), Window(clock, 6000, 300)
    ask_until(limiter, server, 1600)
    assert 0.9 * 1800 <= server.count(200, 1300, 1600) <= 1800


def test_it_counts_what_it_used() -> None:
    limiter = make_limiter(Clock())
    for reply in (make_reply(body=b"12345"), make_reply(429, b"x")):
        with limiter.turn() as turn:
            turn.answered(reply)
    used = limiter.usage()
    assert (used.requests, used.throttled, used.received) == (2, 1, 6)
    assert (limiter.usage() - used).requests == 0


def in_child(act: object) -> int:
    process = os.fork()
    if process == 0:
        try:
            act()  # type: ignore[operator]
        finally:
            os._exit(0)
    return process


def test_a_forked_process_shares_count_and_pause() -> None:
    limiter = Limiter()

    def refused() -> None:
        with limiter.turn() as turn:
            turn.answered(make_reply(429, headers={"Retry-After": "60"}))

    os.waitpid(in_child(refused), 0)
    assert limiter.usage().requests == limiter.usage().throttled == 1
    with pytest.raises(Retryable, match="ask to wait"), limiter.turn(pause=30):
        pass


def test_a_killed_process_gives_back_its_turns() -> None:
    limiter = Limiter()
    reading, writing = os.pipe()

    def hold() -> None:
        with ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(limiter.turn())
            os.write(writing, b"x")
            time.sleep(60)

    process = in_child(hold)
    os.read(reading, 1)
    with pytest.raises(Retryable), limiter.turn(longest=0.001):
        pass
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    with limiter.turn():
        assert limiter.usage().requests == 5


def test_a_fork_does_not_inherit_a_mutex_that_a_thread_holds() -> None:
    limiter = Limiter()
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with limiter._all._threads:
            held.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    process = in_child(limiter.usage)
    assert os.waitpid(process, 0)[1] == 0
    release.set()
    thread.join()


@pytest.mark.parametrize(
    ("text", "exceeded", "limit", "window"),
    [
        (REQUESTS % (600, 30), Exceeded.REQUESTS, 600, 30.0),
        (REQUESTS.replace(b"%d", b"6,000", 1) % 300, Exceeded.REQUESTS, 6000, 300.0),
        (CONCURRENT, Exceeded.CONCURRENT, 8, None),
        (TIME, Exceeded.TIME, None, None),
        (b"<html>slow down</html>", Exceeded.UNKNOWN, None, None),
    ],
)
def test_it_reads_which_limit_was_exceeded(
    text: bytes, exceeded: Exceeded, limit: int | None, window: float | None
) -> None:
    said = told(make_reply(429, text), NOON)
    assert (said.exceeded, said.limit, said.window) == (exceeded, limit, window)


def test_odd_headers_tell_nothing() -> None:
    said = told(
        make_reply(headers={REMAINING: "many", "x-ms-dop-hint": "", "Retry-After": "soon"}), NOON
    )
    assert (said.remaining, said.hint, said.after) == (None, None, None)
