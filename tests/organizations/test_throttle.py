"""Attempts are counted by head and window; what is forgiven counts no longer."""

from __future__ import annotations

import pytest

from organizations import throttle
from organizations.throttle import Attempt, Throttled

START = 1_800_000_000
LIMITS = {"address": 2, "name": 3}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that windows go by; a test moves it on."""
    now = [float(START)]
    monkeypatch.setattr("organizations.throttle.time.time", lambda: now[0])
    return now


def attempt(address: str = "192.0.2.1", name: str = "field", purpose: str = "door") -> Attempt:
    return throttle.attempt(purpose, {"address": address, "name": name}, LIMITS)


def test_it_lets_through_as_many_as_allowed_and_says_how_long_to_wait(clock: list[float]) -> None:
    attempt()
    clock[0] += 100
    attempt()
    with pytest.raises(Throttled, match="Try again in 200 seconds") as raised:
        attempt()
    assert raised.value.after == 200


def test_each_head_has_its_own_limit() -> None:
    for last in range(3):
        attempt(address=f"192.0.2.{last}")
    with pytest.raises(Throttled):
        attempt(address="192.0.2.9")
    attempt(address="192.0.2.9", name="other")


def test_doors_are_counted_apart() -> None:
    for _ in range(2):
        attempt()
    attempt(purpose="window")


def test_a_new_window_begins_at_nothing(clock: list[float]) -> None:
    for _ in range(2):
        attempt()
    clock[0] += throttle.WINDOW_SECONDS
    attempt()


def test_a_forgiven_attempt_does_not_count() -> None:
    for _ in range(5):
        attempt().forgive()
    attempt()
    attempt()
    with pytest.raises(Throttled):
        attempt()
