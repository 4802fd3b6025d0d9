"""`bench pull`: the engine beside a fixed SQL script and beside downloading alone.

1. Pages are recorded once from the twin and served by a plain server, so the twin is not measured.
2. Download, script and engine alternate; medians are compared, and what they wrote is compared.
3. A fresh process shows the peak of memory for a small and a large load.
4. An idle run, a run with 1 % changed, and a user's writes during a load.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connections import registry
from connections.connectors.base import ReadRequest
from connections.models import Connection
from syncjobs import entity_tasks
from syncjobs.bench import process, recording, world, writer
from syncjobs.bench.script import Script, fingerprint
from syncjobs.engine.values import EntityTask
from syncjobs.models import RunEntity

Say = Callable[[str], None]


@dataclass
class Times:
    """Seconds of each round, by what was measured."""

    rounds: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, name: str, work: Callable[[], object]) -> float:
        """Time one piece of work."""
        begun = time.perf_counter()
        work()
        seconds = time.perf_counter() - begun
        self.rounds.setdefault(name, []).append(seconds)
        return seconds

    def median(self, name: str) -> float:
        """Return the median of the rounds."""
        return statistics.median(self.rounds[name])


def compare(
    connection: Connection, folder: Path, port: int, *, records: int, rounds: int, say: Say
) -> dict[str, Any]:
    """Alternate download, script and engine; return rates, their ratio and the proof."""
    times = Times()
    with recording.replaying(folder / recording.FULL, port):
        world.reset(connection)
        recording.pull(connection)
        written, script = fingerprint(connection), Script.of(connection)
        for number in range(rounds):
            times.measure("download", lambda: _download(connection))
            world.reset(connection)
            script.prepare()
            times.measure("script", script.run)
            by_script = fingerprint(connection)
            world.reset(connection)
            times.measure("engine", lambda: recording.pull(connection))
            if not fingerprint(connection) == by_script == written:
                raise RuntimeError("The script did not write the same rows as the engine.")
            say(_line(number + 1, rounds, records, times))
    medians = {name: times.median(name) for name in times.rounds}
    return {
        "rates": {name: round(records / seconds) for name, seconds in medians.items()},
        "engine_to_script": round(medians["script"] / medians["engine"], 3),
        "seconds": {name: [round(x, 3) for x in found] for name, found in times.rounds.items()},
        "script_sha256": Script.digest(),
        "rows": written,
    }


def quiet_runs(connection: Connection, folder: Path, port: int) -> dict[str, Any]:
    """Measure runs after a first load: nothing changed, 1 % changed, all ids compared besides."""
    world.reset(connection)
    with recording.replaying(folder / recording.FULL, port):
        recording.pull(connection)
    found: dict[str, Any] = {}
    for phase in recording.QUIET:
        recording.prepare(connection, phase)
        before = fingerprint(connection)
        found[phase] = _quiet_run(connection, folder / phase, port)
        if phase == recording.IDLE and fingerprint(connection) != before:
            raise RuntimeError("The idle run wrote something.")
    return found


def _quiet_run(connection: Connection, tape: Path, port: int) -> dict[str, Any]:
    with recording.replaying(tape, port):
        begun, used = time.perf_counter(), process.cpu()
        run = recording.pull(connection)
        seconds, processor = time.perf_counter() - begun, process.cpu() - used
    counts = RunEntity.objects.get(run=run, name=world.ENTITY)
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(processor, 3),
        **{n: getattr(counts, n) for n in ("read", "created", "updated", "deleted")},
    }


def user_writes(connection: Connection, folder: Path, port: int) -> dict[str, Any]:
    """Measure how long a user's single writes take while a first load goes on."""
    world.reset(connection)
    with recording.replaying(folder / recording.FULL, port), writer.writing(connection) as delays:
        recording.pull(connection)
    ordered = sorted(delays)
    if len(ordered) < 20:
        raise RuntimeError(f"Only {len(ordered)} writes were made during the load.")
    p95 = ordered[int(len(ordered) * 0.95)]
    return {
        "writes": len(ordered),
        "p95_ms": round(p95 * 1000),
        "max_ms": round(ordered[-1] * 1000),
    }


def memory(connection: Connection, folder: Path, port: int) -> dict[str, Any]:
    """Measure the peak of a pulling process and its reader, above what it held idle."""
    world.reset(connection)
    with recording.replaying(folder / recording.FULL, port):
        with registry.connector(connection.server) as server:
            server.identify()
        idle = process.memory()
        with process.watching_memory() as peak:
            recording.pull(connection)
    mebi = 1024 * 1024
    return {
        "idle_mib": round(idle / mebi, 1),
        "peak_mib": round(peak.bytes / mebi, 1),
        "above_idle_mib": round((peak.bytes - idle) / mebi, 1),
    }


def _download(connection: Connection) -> None:
    """Read and parse what the engine reads, and drop it."""
    with registry.connector(connection.client) as client:
        (task,) = entity_tasks.build(entity_tasks.chosen(connection, ()), client)
    if not isinstance(task, EntityTask):
        raise RuntimeError(task.reason)
    with registry.connector(connection.server) as server:
        for page in server.read(ReadRequest(entity=task.server, attributes=task.attributes)):
            len(page.rows)


def _line(number: int, rounds: int, records: int, times: Times) -> str:
    rates = ", ".join(
        f"{name} {records / found[-1]:,.0f}/s" for name, found in times.rounds.items()
    )
    return f"round {number} of {rounds}: {rates}"
