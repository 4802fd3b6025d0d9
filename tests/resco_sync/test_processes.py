"""The programs of `serve`: started, watched, ended, and found again after a kill."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from resco_sync import processes
from resco_sync.liveness import is_alive
from resco_sync.processes import Processes, stopped_at_end
from tests.resco_sync.services.programs import wait_for

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " open(sys.argv[1], 'w').close(); time.sleep(600)",
]


def make(record: Path) -> Processes:
    """Make an empty set of programs."""
    return Processes(record, os.environ)


def children() -> list[psutil.Process]:
    """Return the programs of this test that live."""
    return [one for one in psutil.Process().children() if is_alive(one)]


def test_it_ends_all_however_the_block_ends(tmp_path: Path) -> None:
    record = tmp_path / "numbers"
    before = len(children())
    with suppress(KeyboardInterrupt), stopped_at_end(make(record)) as programs:
        programs.start("one", SLEEP)
        programs.start("two", SLEEP)
        assert len(children()) == before + 2
        raise KeyboardInterrupt
    assert len(children()) == before
    assert not record.exists()


def test_it_tells_which_program_ended(tmp_path: Path) -> None:
    with stopped_at_end(make(tmp_path / "numbers")) as programs:
        programs.start("lasting", SLEEP)
        programs.start("short", [sys.executable, "-c", "raise SystemExit(7)"])
        assert programs.watch() == ("short", 7)


def test_it_waits_for_one_that_ends_by_itself(tmp_path: Path) -> None:
    with stopped_at_end(make(tmp_path / "numbers")) as programs:
        programs.start("short", [sys.executable, "-c", "raise SystemExit(3)"])
        assert programs.wait("short") == 3
        assert programs.ended() is None


def test_it_kills_what_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.2)
    programs = make(tmp_path / "numbers")
    programs.start("stubborn", [*STUBBORN, str(tmp_path / "up")])
    wait_for((tmp_path / "up").exists)
    before = len(children())
    programs.stop()
    assert len(children()) == before - 1


def test_it_ends_what_a_killed_one_left_running(tmp_path: Path) -> None:
    record = tmp_path / "numbers"
    lost = make(record)
    lost.start("one", SLEEP)
    before = len(children())
    assert make(record).end_left_over() == 1
    assert len(children()) == before - 1
    assert make(record).end_left_over() == 0


def test_it_leaves_other_programs_with_the_same_number_alone(tmp_path: Path) -> None:
    record = tmp_path / "numbers"
    record.write_text(f"[[{os.getpid()}, 1.5]]")
    assert make(record).end_left_over() == 0
    record.write_text("no list")
    assert make(record).end_left_over() == 0
