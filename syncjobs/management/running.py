"""Carrying a run out in a command: progress, answer, exit code."""

from __future__ import annotations

import orjson
from django.core.management.base import BaseCommand, CommandError

from syncjobs import dispatch, follow
from syncjobs.doors.jobs import as_json
from syncjobs.models import Run

EXIT_CODES = {Run.State.SUCCEEDED: 0, Run.State.PARTLY: 3, Run.State.CANCELLED: 4}
"""Everything else is 1; 2 is for wrong arguments."""


def carry_out(command: BaseCommand, run: Run) -> None:
    """Carry the run out here, with progress on standard error; Control-C cancels it."""

    def say(line: str) -> None:
        command.stderr.write(line, style_func=str)

    try:
        follow.carry_out(run, say)
    except KeyboardInterrupt:
        dispatch.cancel(run)
        follow.carry_out(run, say)


def finish(command: BaseCommand, run: Run, *, as_document: bool) -> None:
    """Carry the run out, print it, and end with its exit code; what was carried by then stays."""
    carry_out(command, run)
    if as_document:
        command.stdout.write(orjson.dumps(as_json(run)).decode())
    conclude(run)
    if not as_document:
        command.stdout.write(run.message)


def conclude(run: Run) -> None:
    """End with the exit code of a run that did not succeed."""
    code = EXIT_CODES.get(Run.State(run.state), 1)
    if code:
        raise CommandError(f"{run}: {run.state}. {run.message}", returncode=code)
