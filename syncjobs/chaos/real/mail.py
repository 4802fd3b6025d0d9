"""Calls to workers that were sent and not delivered: Celery's queues, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from celery import current_app

_MEMORY = {"broker_url": "memory://localhost", "broker_transport_options": {}}


class Call(NamedTuple):
    """One call: the task's name, and the id that it is given."""

    task: str
    key: str


class Mailbox:
    """Calls as they were sent. Who takes one may leave it here: then it comes again."""

    def __init__(self) -> None:
        """Begin with nothing; what others sent before is thrown away."""
        self.calls: list[Call] = []
        self.fetch()
        self.calls.clear()

    def fetch(self) -> list[Call]:
        """Take what was sent since the last time, and return all that was not taken."""
        with current_app.connection_for_read() as link:
            channel: Any = link.default_channel
            for queue in current_app.conf.task_queues:
                while (message := channel.basic_get(queue.name, no_ack=True)) is not None:
                    arguments = message.payload[0]
                    self.calls.append(Call(message.headers["task"], *map(str, arguments[:1])))
        return self.calls


@contextmanager
def undelivered() -> Iterator[None]:
    """Let nobody be called. Changes Celery's settings: for a process or a test of its own."""
    known = {name: getattr(current_app.conf, name) for name in _MEMORY}
    current_app.conf.update(_MEMORY)
    try:
        yield
    finally:
        current_app.conf.update(known)
