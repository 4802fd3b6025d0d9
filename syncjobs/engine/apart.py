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
from collections.abc import Generator
from typing import BinaryIO, NoReturn, TypeVar

from connections.errors import Retryable

Item = TypeVar("Item")
_NEXT, _ERROR, _END = range(3)


def read_apart(items: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """Yield the items in order, made by a forked process, one ahead of the consumer.

    Items and errors must be picklable; an error is raised here, where its item would have come.
    Closing this generator ends the process. Raises Retryable if the process died.
    """
    receiving, sending = os.pipe()
    process = _fork()
    if process == 0:
        os.close(receiving)
        _produce(items, sending)
    os.close(sending)
    try:
        with open(receiving, "rb") as pipe:
            yield from _received(pipe)
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _fork() -> int:
    # Threads are a danger to a fork for locks they hold meanwhile. The only other thread of a
    # worker renews the lease, on a database connection that the new process never touches.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _received(pipe: BinaryIO) -> Generator[Item, None, None]:
    while True:
        try:
            kind, value = pickle.load(pipe)  # noqa: S301 - from our own process
        except EOFError as error:
            raise Retryable("The process that reads the server ended unexpectedly.") from error
        if kind == _NEXT:
            yield value
        elif kind == _ERROR:
            raise _revived(*value)
        else:
            return


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
