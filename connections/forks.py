"""What a forked process must make new: above all mutexes, which other threads may have held."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

_RENEWALS: list[weakref.WeakMethod[Callable[[], None]]] = []


def in_child(renew: Callable[[], None]) -> None:
    """Let a bound method be called in each process forked from now on, while its object lives."""
    _RENEWALS[:] = [kept for kept in _RENEWALS if kept() is not None]
    _RENEWALS.append(weakref.WeakMethod(renew))


def _forked() -> None:
    for renewal in list(_RENEWALS):
        renew = renewal()
        if renew is not None:
            renew()


os.register_at_fork(after_in_child=_forked)
