"""The table of faults and actions, and failing worlds, as people read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from syncjobs.chaos.many import Broken

_WIDTH, _LEAST = 24, 20
"""Characters of the column of actions, and at least of one of numbers."""


def faults(struck: Counter[tuple[str, str]]) -> list[str]:
    """Return the faults by name; the places where a process can be killed count as one."""
    return sorted({_fault(fault) for fault, _ in struck})


def counts(struck: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Return the counts with all places of a kill together."""
    found: Counter[tuple[str, str]] = Counter()
    for (fault, action), count in struck.items():
        found[_fault(fault), action] += count
    return found


def kills(struck: Counter[tuple[str, str]]) -> dict[str, int]:
    """Return how often a process was killed at each place, with anything waiting."""
    found: Counter[str] = Counter()
    for (fault, _), count in struck.items():
        if fault.startswith("kill at "):
            found[fault.removeprefix("kill at ")] += count
    return dict(sorted(found.items()))


def lines(struck: Counter[tuple[str, str]]) -> Iterator[str]:
    """Yield the table: one line for each action that waited, one column for each fault.

    The last line tells which pair of both came least often.
    """
    names, found = faults(struck), counts(struck)
    actions = sorted({action for _, action in struck})
    wide = {name: max(_LEAST, len(name) + 2) for name in names}
    yield " " * _WIDTH + "".join(f"{name:>{wide[name]}}" for name in names)
    for action in actions:
        numbers = "".join(f"{found[name, action]:>{wide[name]},}" for name in names)
        yield f"{action:<{_WIDTH}}{numbers}"
    if pairs := [(found[name, action], name, action) for name in names for action in actions]:
        count, name, action = min(pairs)
        yield f"Least often: {name} while '{action}' waited, {count:,} times."


def story(broken: Broken) -> Iterator[str]:
    """Yield what is needed to see a violation again."""
    yield f"seed {broken.seed}: {broken.violation}"
    yield f"  {broken.program.setting}"
    for step in broken.program.steps:
        yield f"  {step}"


def _fault(name: str) -> str:
    return "kill" if name.startswith("kill at ") else name
