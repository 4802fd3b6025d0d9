"""The judge: it knows what users did and what the lists name, and not how the engine works.

I1 and I3 are judged by replaying the ledger, I2, I5, I6 and I7 by what both sides and the lists
hold at rest. I4 and I8 need runs, and are judged where these are made (`resting`).
"""

from __future__ import annotations

from collections.abc import Sequence

from syncjobs.chaos.oracle.echoes import echoes
from syncjobs.chaos.oracle.evidence import without_evidence
from syncjobs.chaos.oracle.keeping import lost_changes
from syncjobs.chaos.oracle.lists import Lists
from syncjobs.chaos.oracle.mirror import replayed
from syncjobs.chaos.oracle.sides import differences
from syncjobs.chaos.oracle.violation import Violation
from syncjobs.chaos.world import World

__all__ = ["Violation", "judge"]


def judge(world: World) -> Sequence[Violation]:
    """Return what is violated now that nothing moves any more, the first of each kind."""
    lists, events = Lists.of(world), world.ledger.events
    found = [
        *lost_changes(events, lists),
        *without_evidence(events, lists),
        *echoes(events, lists),
        *differences(replayed(events), lists),
    ]
    return list({item.invariant: item for item in reversed(found)}.values())
