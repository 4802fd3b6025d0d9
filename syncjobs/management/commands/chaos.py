"""`manage.py chaos --seed N --worlds M`: try the product against everything that can go wrong."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from syncjobs.bench import database
from syncjobs.chaos import many, table
from syncjobs.chaos.many import Broken, Tally
from syncjobs.chaos.program import STEPS
from syncjobs.chaos.real import many as real_many
from syncjobs.chaos.real import play as real_play
from syncjobs.chaos.real.program import make_program

SHOWN = 5
"""Failing worlds that are made short and shown."""

WORLDS, REAL_WORLDS = 100, 10
_NUMBERS = ("seed", "worlds", "steps", "processes")


class Command(BaseCommand):
    """Worlds in memory, or in a database of their own: nothing of this installation is touched."""

    help = (
        "Play random worlds of two organizations: edits on both sides, broken lines, killed "
        "processes, conflicts, deletions. At rest a judge that knows nothing of the engine looks "
        "for lost changes, differences without a reason and deletions without evidence. The same "
        "seed makes the same world. The organizations are in memory; with --real they are a "
        "hosted client and a Dynamics twin, in a new database that is dropped afterwards. Exit "
        "codes: 0 no violation, 1 violations, 2 wrong arguments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which worlds."""
        parser.add_argument("--seed", type=int, default=0, help="of the first world (default 0)")
        parser.add_argument(
            "--worlds", type=int, help=f"how many (default {WORLDS}, with --real {REAL_WORLDS})"
        )
        parser.add_argument(
            "--steps",
            type=int,
            help=f"of each, about (default {STEPS}, with --real {real_play.STEPS})",
        )
        parser.add_argument("--processes", type=int, default=1, help="at once (default 1)")
        parser.add_argument(
            "--first", action="store_true", help="end with the first violation, as it is"
        )
        parser.add_argument(
            "--real", action="store_true", help="hosted client, Dynamics twin, real database"
        )
        parser.add_argument(
            "--http", action="store_true", help="with --real: the twin in processes of its own"
        )
        parser.add_argument(database.INSIDE, action="store_true", help="the database is ours")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play, print, and fail if anything was violated."""
        is_real = options["real"]
        options["worlds"] = _given(options["worlds"], REAL_WORLDS if is_real else WORLDS)
        options["steps"] = _given(options["steps"], real_play.STEPS if is_real else STEPS)
        _check(options)
        if is_real and not options["inside"]:
            self._apart(options)
            return
        found = _played(options)
        shown = [] if options["first"] else _shown(found, options)
        if options["json"]:
            self.stdout.write(orjson.dumps(_document(found, shown, is_real=is_real)).decode())
        else:
            self._print(found, shown, real_play.LEFT_OUT if is_real else {})
        if found.broken:
            seeds = ", ".join(str(outcome.seed) for outcome in found.broken[:20])
            raise CommandError(f"{len(found.broken):,} worlds violate an invariant: {seeds}.")

    def _apart(self, options: Mapping[str, Any]) -> None:
        """Do the same in a database of its own; it prints by itself."""
        numbers = [f"--{name}={options[name]}" for name in _NUMBERS]
        flags = [f"--{name}" for name in ("real", "http", "first", "json") if options[name]]
        code = database.run_inside([*numbers, *flags], "chaos", is_durable=False)
        if code:
            raise CommandError("The worlds were not played without a violation.", returncode=code)

    def _print(self, found: Tally, broken: list[Broken], left_out: Mapping[str, str]) -> None:
        for line in table.lines(found.struck):
            self.stdout.write(line)
        self.stdout.write("Killed at: " + _listed(table.kills(found.struck)))
        for kind, reason in left_out.items():
            self.stdout.write(f"Left out: {kind}. {reason}")
        self.stdout.write(
            f"{found.worlds:,} worlds, median {found.median_steps:g} steps, "
            f"{len(found.broken):,} violations."
        )
        for item in broken:
            for line in table.story(item):
                self.stdout.write(line)


def _given(number: int | None, usual: int) -> int:
    return usual if number is None else number


def _check(options: Mapping[str, Any]) -> None:
    for name, least in (("worlds", 1), ("steps", 10), ("processes", 1), ("seed", 0)):
        if options[name] < least:
            raise CommandError(f"--{name} must be at least {least}.", returncode=2)
    if options["real"] and options["processes"] > 1:
        raise CommandError("--real plays one world at a time: leave --processes out.", returncode=2)
    if options["http"] and not options["real"]:
        raise CommandError("--http is for --real only: add it, or leave it out.", returncode=2)


def _played(options: Mapping[str, Any]) -> Tally:
    seeds = range(options["seed"], options["seed"] + options["worlds"])
    steps, is_first = options["steps"], options["first"]
    if options["real"]:
        return real_many.tally(seeds, steps, is_served=options["http"], until_broken=is_first)
    return many.tally(seeds, steps, processes=options["processes"], until_broken=is_first)


def _shown(found: Tally, options: Mapping[str, Any]) -> list[Broken]:
    """Return the first failing worlds; those in memory are made short, which takes seconds."""
    steps, shown = options["steps"], found.broken[:SHOWN]
    if options["real"]:
        programs = ((item, make_program(item.seed, steps)) for item in shown)
        return [Broken(item.seed, item.violations[0], given) for item, given in programs]
    broken = [many.shortest(item.seed, steps) for item in shown]
    return [item for item in broken if item is not None]


def _listed(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in numbers.items())


def _document(found: Tally, broken: list[Broken], *, is_real: bool) -> dict[str, Any]:
    numbers = table.counts(found.struck)
    return {
        "worlds": found.worlds,
        "median_steps": found.median_steps,
        "faults": [
            {"fault": fault, "action": action, "count": count}
            for (fault, action), count in sorted(numbers.items())
        ],
        "kills": table.kills(found.struck),
        "left_out": dict(real_play.LEFT_OUT) if is_real else {},
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
