"""The order in which entities are carried: what is referred to comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncjobs.engine.matching import MATCH_KEYS
from syncjobs.engine.values import EntityTask

CARRIED_BY_OWNER = frozenset({"activityparty"})
"""Entities whose records are values of other records (design 5.1.1): never carried alone."""


def in_order(tasks: Sequence[EntityTask]) -> list[EntityTask]:
    """Sort by dependency: the targets of lookups first, both ends of an intersect before it.

    Entities that exist on both sides by themselves lead, because nearly all others refer to
    them. A cycle is cut where it is met: a lookup may arrive before its target.
    """
    by_name = {task.name: task for task in tasks if task.name not in CARRIED_BY_OWNER}
    leading = sorted(by_name, key=lambda name: (name not in MATCH_KEYS, name))
    ordered: dict[str, EntityTask] = {}
    visited: set[str] = set()
    for name in leading:
        _visit(name, by_name, visited, ordered)
    return list(ordered.values())


def _visit(
    name: str,
    by_name: Mapping[str, EntityTask],
    visited: set[str],
    ordered: dict[str, EntityTask],
) -> None:
    stack = [(name, iter(targets_of(by_name[name])))]
    while stack:
        current, targets = stack[-1]
        visited.add(current)
        following = next((t for t in targets if t in by_name and t not in visited), None)
        if following is None:
            ordered.setdefault(current, by_name[current])
            stack.pop()
        else:
            stack.append((following, iter(targets_of(by_name[following]))))


def targets_of(task: EntityTask) -> list[str]:
    """Return the names of the entities that its records can refer to."""
    pair = task.server.intersect
    ends = {pair.entity1, pair.entity2} if pair is not None else set()
    targets = {target for attribute in task.attributes for target in attribute.targets}
    return sorted(targets | ends)
