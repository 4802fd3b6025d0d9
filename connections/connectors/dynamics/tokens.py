"""Checkpoints and resume tokens of the Dynamics connector: small JSON texts.

A link in them is followed only on the endpoint's own origin, whoever wrote the text.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

import msgspec

from connections.errors import CheckpointExpired

Seen = dict[str, int]
"""Record id → version that a reader has been given already, near the low-water mark."""


class Way(StrEnum):
    """How changes since a checkpoint are found."""

    TRACKED = "tracked"
    VERSION = "version"
    MODIFIED = "modified"
    NONE = "none"


class Checkpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the next reading begins.

    `low`: the low-water mark taken before the first page: a version, or seconds since 1970 for
    MODIFIED. `seen`: what was given around it. `link`: the delta link (TRACKED); with it, a `low`
    means that changes during the first load are still to be read, and `slim` that the answers of
    the link hold ids only.
    """

    way: Way
    low: int = 0
    link: str = ""
    slim: bool = False
    seen: Seen = {}  # noqa: RUF012 - msgspec copies an empty default


class Phase(StrEnum):
    """Part of a reading."""

    WALK = "walk"
    ROWS = "rows"
    FETCH = "fetch"
    CHANGES = "changes"
    DELTA = "delta"
    SLICES = "slices"


class Slice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Records created from `low` until before `high` (ISO; empty: open), and how far it was read.

    `ends` is about when the last of them was created. `is_undated`: those without a time of
    creation. `link`, or `page` and `cookie`, continue it.
    """

    low: str = ""
    high: str = ""
    ends: str = ""
    is_undated: bool = False
    link: str = ""
    page: int = 1
    cookie: str = ""


class Resume(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an interrupted reading goes on: phase, next page, and the checkpoint it works for.

    `slices`: the ranges that are still to be read, if several are read at once.
    """

    phase: Phase
    goal: Checkpoint
    link: str = ""
    page: int = 1
    cookie: str = ""
    slices: tuple[Slice, ...] = ()


T = TypeVar("T", Checkpoint, Resume)


def to_text(token: Checkpoint | Resume) -> str:
    """Return the token as text."""
    return msgspec.json.encode(token).decode()


def from_text(text: str, kind: type[T]) -> T:
    """Return the token. Raises CheckpointExpired when this version of the code did not write it."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise CheckpointExpired(
            "The checkpoint is not one that this version of the connector wrote; everything is "
            "read again."
        ) from error
