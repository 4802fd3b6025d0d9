"""A plugin of pytest that tries changes of the code one by one, all in one process.

`measure` starts it in a copy of the tree whose modules hold their changes (`changing`).

1. Each test runs once without a change, and tells which functions it calls.
2. For each change the tests that call its function run, the quickest first, until one fails.
3. A test that failed must pass again without the change. What fails then too was left behind by
   an earlier change, and the measurement ends: it would have counted what nobody noticed.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import cast

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation import trampoline

CHOICE = "MUTANT_UNDER_TEST"
LISTENING = "stats"
"""With this choice no change is in force, and each function that is called says so."""

PATIENCE = 10.0
"""Seconds that a test may take beyond twenty times its usual time; then it noticed the change."""


class TooSlow(BaseException):
    """A test runs on and on with a change. No code of ours catches this."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file with the changes' names, and the file for what came of them."""
    parser.addoption("--changes", type=Path, required=True)
    parser.addoption("--found", type=Path, required=True)


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Try them all, instead of running each test once."""
    if session.testsfailed:
        raise session.Interrupted("Not all tests can be collected.")
    names = json.loads(session.config.getoption("changes").read_text("utf-8"))
    signal.signal(signal.SIGALRM, _too_slow)
    capture = session.config.pluginmanager.getplugin("capturemanager")
    trying = _Trying(session.items)
    trying.listen()
    found: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        found[name] = trying.finder(name)
        if number % 25 == 0 or number == len(names):
            session.config.getoption("found").write_text(json.dumps(found), "utf-8")
            with capture.global_and_fixture_disabled():
                print(f"{number} of {len(names)}", flush=True)  # noqa: T201
    return True


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow


class _Trying:
    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self._items = items
        self._seconds: dict[pytest.Item, float] = {}
        self._callers: dict[str, list[pytest.Item]] = defaultdict(list)
        self._noticed: dict[str, set[pytest.Item]] = defaultdict(set)

    def listen(self) -> None:
        """Run each test once, and note which functions it calls."""
        called: set[str] = set()
        vars(trampoline)["record_trampoline_hit"] = lambda name, caller=None: called.add(name)
        for item in self._items:
            called.clear()
            begun = time.perf_counter()
            with _chosen(LISTENING):
                if _fails(item, PATIENCE * 10):
                    raise pytest.UsageError(f"{item.nodeid} fails without a change.")
            self._seconds[item] = time.perf_counter() - begun
            for name in called:
                self._callers[name].append(item)

    def finder(self, name: str) -> str:
        """Return the test that notices the change, '' if none does."""
        function = name.partition("__mutmut_")[0]
        for item in sorted(self._callers[function], key=lambda item: self._rank(function, item)):
            seconds = PATIENCE + 20 * self._seconds[item]
            with _chosen(name):
                is_noticed = _fails(item, seconds)
            if is_noticed:
                if _fails(item, seconds):
                    raise pytest.UsageError(f"{item.nodeid} fails after {name} without it, too.")
                self._noticed[function].add(item)
                return item.nodeid
        return ""

    def _rank(self, function: str, item: pytest.Item) -> tuple[bool, float]:
        """What noticed another change of the function comes first, then what is quick."""
        return item not in self._noticed[function], self._seconds[item]


@contextmanager
def _chosen(name: str) -> Iterator[None]:
    os.environ[CHOICE] = name
    try:
        yield
    finally:
        os.environ[CHOICE] = ""


def _fails(item: pytest.Item, seconds: float) -> bool:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        # As if any test came next: all is torn down but what belongs to the session.
        following = cast(pytest.Item, item.session)
        reports = runtestprotocol(item, log=False, nextitem=following)
        return any(report.failed for report in reports)
    except TooSlow:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
