"""Reading in a process of its own."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from connections.errors import Retryable, UnknownEntity
from syncjobs.engine.apart import ReadApart


def has_ended(process: int) -> bool:
    """Return whether a process is a zombie; its name, in brackets, can hold spaces."""
    told = Path(f"/proc/{process}/stat").read_text()
    return told.rpartition(")")[2].split()[0] == "Z"


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "It did not happen in ten seconds."
        time.sleep(0.01)


def is_running(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def numbers(count: int) -> Generator[int, None, None]:
    yield from range(count)


def processes() -> Generator[int, None, None]:
    while True:
        yield os.getpid()


def test_it_keeps_the_order() -> None:
    assert list(ReadApart(numbers(100))) == list(range(100))


def test_it_reads_in_another_process_that_ends_when_it_is_left_early() -> None:
    reading = ReadApart(processes())
    process = next(reading)
    assert process != os.getpid()
    assert is_running(process)
    reading.close()
    assert not is_running(process)


def test_it_takes_items_larger_than_a_pipe() -> None:
    def source() -> Generator[bytes, None, None]:
        yield b"x" * (3 << 20)
        yield b"y"

    assert [len(item) for item in ReadApart(source())] == [3 << 20, 1]


def test_it_brings_an_error_after_what_came_before_it() -> None:
    def source() -> Generator[int, None, None]:
        yield 1
        raise Retryable("later", code="429", after=5)

    reading = ReadApart(source())
    assert next(reading) == 1
    with pytest.raises(Retryable) as caught:
        next(reading)
    assert (str(caught.value), caught.value.code, caught.value.after) == ("later", "429", 5)


def test_an_error_is_the_same_on_both_sides_and_tells_where_it_came_from() -> None:
    def source() -> Generator[int, None, None]:
        raise UnknownEntity("lead")
        yield 1

    with pytest.raises(UnknownEntity) as caught:
        list(ReadApart(source()))
    assert str(caught.value) == str(UnknownEntity("lead"))
    assert caught.value.entity == "lead"
    assert "in source" in caught.value.__notes__[0]


def test_an_error_that_cannot_travel_is_told_as_text() -> None:
    def source() -> Generator[int, None, None]:
        error = ValueError("odd")
        error.lock = threading.Lock()  # type: ignore[attr-defined]
        raise error
        yield 1

    with pytest.raises(RuntimeError, match="ValueError: odd"):
        list(ReadApart(source()))


def test_a_process_that_dies_is_a_fault_that_passes() -> None:
    reading = ReadApart(processes())
    os.kill(next(reading), signal.SIGKILL)
    with pytest.raises(Retryable, match="The process that reads the server ended unexpectedly"):
        for _ in reading:
            pass


def test_a_process_whose_parent_is_gone_ends() -> None:
    reading = ReadApart(processes())
    process = next(reading)
    reading._pipe.close()
    wait_until(lambda: has_ended(process))
    os.waitpid(process, 0)


def test_it_begins_before_it_is_asked(tmp_path: Path) -> None:
    def source() -> Generator[int, None, None]:
        (tmp_path / "begun").touch()
        yield 1

    reading = ReadApart(source())
    wait_until((tmp_path / "begun").exists)
    reading.close()
    assert list(reading) == []


def test_a_later_process_does_not_keep_an_earlier_one_alive() -> None:
    first = ReadApart(processes())
    process = next(first)
    second = ReadApart(processes())
    next(second)
    first._pipe.close()
    wait_until(lambda: has_ended(process))
    os.waitpid(process, 0)
    second.close()
