"""Making a failing program short: steps are left out as long as the same invariant breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from syncjobs.chaos.program import Program, Step

Fails = Callable[[Program], str]
"""Plays a program and returns which invariant it violates, '' if none."""


def shrink(program: Program, fails: Fails) -> Program:
    """Return a program of as few steps as are found to break the same invariant."""
    wanted = fails(program)
    steps = list(program.steps)

    def breaks(fewer: Sequence[Step]) -> bool:
        return fails(program._replace(steps=fewer)) == wanted

    size = max(1, len(steps) // 2)
    while size:
        steps, moved = _without_chunks(steps, size, breaks)
        if not moved or size > 1:
            size //= 2
    return program._replace(steps=steps)


def _without_chunks(
    steps: list[Step], size: int, breaks: Callable[[Sequence[Step]], bool]
) -> tuple[list[Step], bool]:
    """Leave out every chunk of so many steps that is not needed; return whether any went."""
    moved, end = False, len(steps)
    while end > 0:
        start = max(0, end - size)
        fewer = [*steps[:start], *steps[end:]]
        if breaks(fewer):
            steps, moved = fewer, True
        end = start
    return steps, moved
