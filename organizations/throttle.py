"""Counting attempts in windows of time, so that nobody tries without end (design 5.1.14).

The counters stand in the cache, which all processes share; what they count is kept as a digest.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from organizations.errors import OrganizationError

WINDOW_SECONDS = 300
"""How long a window is. With its end all counters begin anew."""


class Throttled(OrganizationError):
    """Too many attempts. `after`: seconds until the next one is let through."""

    def __init__(self, after: int) -> None:
        """Keep how long to wait."""
        self.after = after
        super().__init__(f"Too many attempts. Try again in {after} seconds.")


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was counted under several heads."""

    _counters: tuple[str, ...]

    def forgive(self) -> None:
        """Take it back: it was none of those that are to be limited."""
        for counter in self._counters:
            if not cache.add(counter, 0, WINDOW_SECONDS):
                cache.decr(counter)


def attempt(purpose: str, subjects: Mapping[str, str], limits: Mapping[str, int]) -> Attempt:
    """Count an attempt, before it is made, so that parallel ones are limited too.

    `subjects` says under each head who or what is counted, `limits` how many attempts a window
    allows there. `purpose` keeps counters of different doors apart. Raises Throttled.
    """
    window, elapsed = divmod(int(time.time()), WINDOW_SECONDS)
    heads = {kind: f"{purpose}:{kind}:{window}:{_digest(text)}" for kind, text in subjects.items()}
    for kind, counter in heads.items():
        cache.add(counter, 0, 2 * WINDOW_SECONDS)
        if cache.incr(counter) > limits[kind]:
            raise Throttled(WINDOW_SECONDS - elapsed)
    return Attempt(tuple(heads.values()))


def _digest(subject: str) -> str:
    return salted_hmac("organizations.throttle", subject).hexdigest()
