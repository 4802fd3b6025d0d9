"""Reading ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from connections.connectors.paging import ReadAhead, read_ahead
from connections.errors import Retryable


def test_it_keeps_the_order() -> None:
    assert list(read_ahead(iter(range(100)))) == list(range(100))


def test_it_reads_in_another_thread_and_not_far_ahead() -> None:
    produced: list[int] = []
    threads: set[int] = set()
    third = threading.Event()

    def source() -> Iterator[int]:
        for number in range(50):
            threads.add(threading.get_ident())
            produced.append(number)
            if number == 2:
                third.set()
            yield number

    reading = iter(ReadAhead(source(), depth=1))
    assert next(reading) == 0
    assert third.wait(5)
    # One waits in the queue, one in the hand of the thread.
    assert produced == [0, 1, 2]
    assert threads != {threading.get_ident()}
    reading.close()


def test_it_brings_an_error_after_what_came_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise Retryable("later", after=5)

    reading = read_ahead(source())
    assert next(reading) == 1
    with pytest.raises(Retryable, match="later") as caught:
        next(reading)
    assert caught.value.after == 5


def test_it_stops_its_thread_and_closes_the_source_when_left_early() -> None:
    closed = threading.Event()

    def source() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    before = threading.active_count()
    reading = read_ahead(source())
    next(reading)
    reading.close()
    assert closed.wait(5)
    assert threading.active_count() == before


def test_it_may_be_left_after_an_error() -> None:
    def source() -> Iterator[int]:
        raise ValueError("at once")
        yield 1

    with pytest.raises(ValueError, match="at once"):
        list(read_ahead(source()))
