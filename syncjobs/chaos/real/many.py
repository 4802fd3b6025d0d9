"""Many worlds over the database, one after another, and what came of all of them."""

from __future__ import annotations

import logging

from syncjobs.chaos.many import Tally
from syncjobs.chaos.real.doors import inside, served
from syncjobs.chaos.real.play import STEPS, play_seeds


def tally(
    seeds: range, steps: int = STEPS, *, is_served: bool = False, until_broken: bool = False
) -> Tally:
    """Play the worlds of these seeds and count.

    `is_served`: the twin answers from processes of its own, over HTTP.
    """
    found = Tally()
    # A twin that goes wrong as it was told to is no news for the log of this installation.
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    with (served if is_served else inside)() as door:
        for outcome in play_seeds(door, seeds, steps):
            found.take(outcome)
            if until_broken and found.broken:
                break
    return found
