"""Reading in a process of its own, so that preparing a page and writing another never wait.

Two threads share one interpreter: every answer of the database found the reading thread busy, and
a third of the time was spent waiting for it. The process is forked, reads and prepares pages with
its copy of everything, and hands over what the writer needs. It ends with its parent: nobody
takes its next page then.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import traceback
import warnings
import weakref
from collections.abc import Generator
from contextlib import closing
from typing import Any, BinaryIO, Generic, NoReturn, Self, TypeVar

from connections.errors import Retryable

Item = TypeVar("Item")
_NEXT, _ERROR, _END = range(3)


class ReadApart(Generic[Item]):
    """The items in order, made by a forked process, one ahead of the consumer.

    The process begins at once. Items and errors must be picklable; an error is raised here, where
    its item would have come; Retryable, if the process died. Closing ends the process.
    """

    def __init__(self, items: Generator[Item, None, None]) -> None:
        """`items` is used by the other process only."""
        receiving, sending = os.pipe()
        self._process = _fork()
        if self._process == 0:
            os.close(receiving)
            _leave_others()
            _produce(items, sending)
        os.close(sending)
        self._pipe: BinaryIO = open(receiving, "rb")  # noqa: SIM115 - until close
        _OPEN.add(self)

    def __iter__(self) -> Self:
        """Return itself."""
        return self

    def __next__(self) -> Item:
        """Return the next item."""
        if self._pipe.closed:
            raise StopIteration
        try:
            kind, value = pickle.load(self._pipe)  # noqa: S301 - from our own process
        except EOFError as error:
            self.close()
            raise Retryable("The process that reads the server ended unexpectedly.") from error
        if kind == _NEXT:
            found: Item = value
            return found
        self.close()
        if kind == _ERROR:
            raise _revived(*value)
        raise StopIteration

    def close(self) -> None:
        """End the process."""
        if self._pipe.closed:
            return
        self._pipe.close()
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)

    def leave(self) -> None:
        """Take no part in it: this is a process that was forked meanwhile for another reading."""
        self._pipe.close()


def read_apart(items: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """Yield the items, made by a process that begins when the first is asked for."""
    with closing(ReadApart(items)) as reading:
        yield from reading


_OPEN: weakref.WeakSet[ReadApart[Any]] = weakref.WeakSet()


def _leave_others() -> None:
    # A process ends when nobody can take its next item, so only its parent may be able to.
    for other in list(_OPEN):
        other.leave()


def _fork() -> int:
    # Threads are a danger to a fork for locks they hold meanwhile. One renews the lease, on a
    # database connection that the new process never touches; others read ahead, and what they
    # share with the new process is made new there (`connections.forks`, egress).
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _produce(items: Generator[Item, None, None], sending: int) -> NoReturn:
    """Send everything, then end without a trace: what was inherited is not ours to clean up."""
    try:
        gc.freeze()
        with open(sending, "wb", buffering=0) as pipe:
            _send_all(items, pipe)
    finally:
        os._exit(0)


def _send_all(items: Generator[Item, None, None], pipe: BinaryIO) -> None:
    try:
        for item in items:
            _send(pipe, _NEXT, item)
        _send(pipe, _END, None)
    except BrokenPipeError:
        pass  # the parent has enough
    except BaseException as error:  # noqa: BLE001 - raised again in the parent
        _send_error(pipe, error)


def _send_error(pipe: BinaryIO, error: BaseException) -> None:
    text = traceback.format_exc()
    error.add_note(text)
    try:
        _send(pipe, _ERROR, (type(error), error.args, error.__dict__))
    except (pickle.PicklingError, TypeError, AttributeError):
        _send(pipe, _ERROR, (RuntimeError, (text,), {}))


def _send(pipe: BinaryIO, kind: int, value: object) -> None:
    whole = memoryview(pickle.dumps((kind, value), pickle.HIGHEST_PROTOCOL))
    while whole:
        whole = whole[pipe.write(whole) :]


def _revived(
    kind: type[BaseException], args: tuple[object, ...], state: dict[str, object]
) -> BaseException:
    # Not by calling the class: its parameters are not the arguments it keeps.
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error
