"""The programs that one `serve` runs: started together, watched, ended together."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from resco_sync.environment import BASE_DIR
from resco_sync.liveness import is_alive, wait_ended

STOP_SECONDS = 30
POLL_SECONDS = 0.2


class Processes:
    """Child programs by name, each in a session of its own.

    A terminal's Ctrl-C therefore reaches only `serve`, which ends them in order. Their numbers
    stand in a file, so that a `serve` that was killed leaves nothing running behind the next one.
    """

    def __init__(self, record: Path, environment: Mapping[str, str]) -> None:
        """Take the file of their numbers and their environment; start nothing."""
        self._record = record
        self._environment = dict(environment)
        self._running: dict[str, psutil.Popen] = {}

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start one program."""
        self._running[name] = psutil.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            cwd=BASE_DIR,
            env=self._environment,
            start_new_session=True,
        )
        self._write()

    def wait(self, name: str) -> int:
        """Wait for one program that ends by itself; return its exit code."""
        code = self._running[name].wait()
        del self._running[name]
        self._write()
        return code

    def ended(self) -> tuple[str, int] | None:
        """Return a program that has ended and its exit code, None while all run."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                return name, code
        return None

    def watch(self) -> tuple[str, int]:
        """Wait until any program ends; return it and its exit code."""
        while (found := self.ended()) is None:
            time.sleep(POLL_SECONDS)
        return found

    def stop(self) -> None:
        """End all at once; kill what does not end."""
        _end(list(self._running.values()))
        self._running.clear()
        self._record.unlink(missing_ok=True)

    def end_left_over(self) -> int:
        """End the programs of an earlier `serve` that was killed; return how many there were."""
        found = [process for process in _recorded(self._record) if is_alive(process)]
        _end(found)
        self._record.unlink(missing_ok=True)
        return len(found)

    def _write(self) -> None:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        numbers = [[one.pid, one.create_time()] for one in self._running.values()]
        self._record.write_text(json.dumps(numbers))


@contextmanager
def stopped_at_end(processes: Processes) -> Iterator[Processes]:
    """Stop all programs however the block ends."""
    try:
        yield processes
    finally:
        processes.stop()


def _recorded(record: Path) -> Iterator[psutil.Process]:
    """Yield the recorded processes that are still the same ones."""
    try:
        numbers = json.loads(record.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return
    for pid, created in numbers:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.create_time() == created:
                yield process


def _end(programs: Sequence[psutil.Process]) -> None:
    """Ask programs to end; kill those that do not, with their children."""
    families = [[program, *_children(program)] for program in programs]
    for program in programs:
        with suppress(psutil.NoSuchProcess):
            program.terminate()
    for program, *children in families:
        if not wait_ended(program, STOP_SECONDS):
            for one in (program, *children):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            wait_ended(program, STOP_SECONDS)


def _children(program: psutil.Process) -> list[psutil.Process]:
    try:
        return program.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
