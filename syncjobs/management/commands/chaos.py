"""`manage.py chaos --seed N --worlds M`: try the engine against everything that can go wrong."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from syncjobs.chaos import table
from syncjobs.chaos.many import Broken, Tally, shortest, tally
from syncjobs.chaos.program import STEPS

SHOWN = 5
"""Failing worlds that are made short and shown."""


class Command(BaseCommand):
    """Worlds in memory: no organization of this installation is touched."""

    help = (
        "Play random worlds of two organizations in memory: edits on both sides, broken lines, "
        "killed processes, conflicts, deletions. At rest a judge that knows nothing of the engine "
        "looks for lost changes, differences without a reason and deletions without evidence. The "
        "same seed makes the same world. Exit codes: 0 no violation, 1 violations, 2 wrong "
        "arguments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which worlds."""
        parser.add_argument("--seed", type=int, default=0, help="of the first world (default 0)")
        parser.add_argument("--worlds", type=int, default=100, help="how many (default 100)")
        parser.add_argument(
            "--steps", type=int, default=STEPS, help=f"of each, about (default {STEPS})"
        )
        parser.add_argument("--processes", type=int, default=1, help="at once (default 1)")
        parser.add_argument(
            "--first", action="store_true", help="end with the first violation, as it is"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play, print, and fail if anything was violated."""
        for name, least in (("worlds", 1), ("steps", 10), ("processes", 1), ("seed", 0)):
            if options[name] < least:
                raise CommandError(f"--{name} must be at least {least}.", returncode=2)
        first, steps = options["seed"], options["steps"]
        seeds = range(first, first + options["worlds"])
        is_first = options["first"]
        found = tally(seeds, steps, processes=options["processes"], until_broken=is_first)
        to_shrink = [] if is_first else found.broken[:SHOWN]
        broken = [shortest(outcome.seed, steps) for outcome in to_shrink]
        shown = [item for item in broken if item is not None]
        if options["json"]:
            self.stdout.write(orjson.dumps(_document(found, shown)).decode())
        else:
            self._print(found, shown)
        if found.broken:
            seeds_told = ", ".join(str(outcome.seed) for outcome in found.broken[:20])
            raise CommandError(f"{len(found.broken):,} worlds violate an invariant: {seeds_told}.")

    def _print(self, found: Tally, broken: list[Broken]) -> None:
        for line in table.lines(found.struck):
            self.stdout.write(line)
        self.stdout.write("Killed at: " + _listed(table.kills(found.struck)))
        self.stdout.write(
            f"{found.worlds:,} worlds, median {found.median_steps:g} steps, "
            f"{len(found.broken):,} violations."
        )
        for item in broken:
            for line in table.story(item):
                self.stdout.write(line)


def _listed(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in numbers.items())


def _document(found: Tally, broken: list[Broken]) -> dict[str, Any]:
    numbers = table.counts(found.struck)
    return {
        "worlds": found.worlds,
        "median_steps": found.median_steps,
        "faults": [
            {"fault": fault, "action": action, "count": count}
            for (fault, action), count in sorted(numbers.items())
        ],
        "kills": table.kills(found.struck),
        "violations": [
            {
                "seed": outcome.seed,
                "invariant": violation.invariant,
                "what": violation.what,
            }
            for outcome in found.broken
            for violation in outcome.violations
        ],
        "programs": [
            {"seed": item.seed, "steps": [str(step) for step in item.program.steps]}
            for item in broken
        ],
    }
