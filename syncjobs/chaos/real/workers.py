"""Workers of a world: each has a thread with a session, and does what it is called to.

They are the product's own tasks, over connectors to which the weather happens. A worker can be
killed before any of its statements: its session is ended by the database, as it is when a process
dies, so nothing that it does on the way out reaches anybody. Or it only loses its session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections

from connections.connectors.base import Connector
from organizations.models import Organization
from syncjobs import tasks
from syncjobs.chaos.memory_state import Crash
from syncjobs.chaos.real.mail import Call
from syncjobs.chaos.world import Run, ended

KILLED, LOST = "kill at statement", "lost database"
_SETTING, _SECONDS = "RESCO_SYNC_CONNECTORS", 10
_TASKS = {task.name: task for task in (tasks.wake, tasks.deliver, tasks.call_hooks, tasks.tick)}
_END = "SELECT pg_terminate_backend(%s, %s)"


@dataclass
class Workers:
    """Has calls carried out, one after another; the caller waits for each.

    `server` and `client` make the connectors of a world, `is_apart` tells that a statement is no
    worker's, `count` is told what struck.
    """

    server: Callable[[str, str, str], Connector]
    client: Callable[[Organization, str], Connector]
    is_apart: Callable[[], bool]
    count: Callable[[str], None]
    _planned: list[tuple[str, int]] = field(default_factory=list)
    _is_dead: bool = False
    _idle: list[ThreadPoolExecutor] = field(default_factory=list)

    def plan(self, what: str, count: int) -> None:
        """Let a worker die, or lose its session, before its `count`-th statement from now on."""
        self._planned.append((what, count))

    def calm(self) -> None:
        """Let nothing more go wrong."""
        self._planned.clear()

    def carry(self, call: Call) -> Run:
        """Let a new worker have a call; return how it ended."""
        task = _TASKS[call.task]
        return self.do(lambda: task(*filter(None, [call.key])))

    def do(self, act: Callable[[], object]) -> Run:
        """Let a worker who does nothing else act; return how it ended."""
        worker = self._idle.pop() if self._idle else ThreadPoolExecutor(1, "worker")
        try:
            with _hiring(self):
                return worker.submit(self._work, act).result()
        finally:
            self._idle.append(worker)

    def close(self) -> None:
        """End all workers and their sessions."""
        for worker in self._idle:
            worker.submit(connections.close_all).result()
            worker.shutdown()

    def _work(self, act: Callable[[], object]) -> Run:
        def work() -> tuple[()]:
            act()
            return ()

        with connection.execute_wrapper(self._come):
            try:
                run = ended(work)
            except (OperationalError, InterfaceError) as error:
                # A task that fails so is over; Celery gives the next one another session.
                run = Run(ended=f"{type(error).__name__}: {error}", reports=())
        if self._is_dead or run.ended:
            connections.close_all()  # whoever died left no session
        if self._is_dead:
            # What he met on the way out may have hidden what killed him.
            self._is_dead, run = False, Run(ended=f"Crash: {KILLED}", reports=())
        return run

    def _come(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        if self._planned and not self.is_apart():
            what, count = self._planned[0]
            self._planned[0] = (what, count - 1)
            if count <= 1:
                del self._planned[0]
                self._strike(what)
        if self._is_dead:
            raise Crash(KILLED)
        return execute(sql, params, many, context)

    def _strike(self, what: str) -> None:
        self.count(what)
        raw = connection.connection
        if raw is not None:
            other = connections.create_connection(connection.alias)
            try:
                with other.cursor() as cursor:
                    cursor.execute(_END, [raw.info.backend_pid, _SECONDS * 1000])
            finally:
                other.close()
        self._is_dead = what == KILLED


_hired: list[Workers] = []


def make_server(url: str, user_name: str, secret: str, **more: Any) -> Connector:
    """Return the connector of the registry to the twin of the world that is played."""
    return _hired[-1].server(url, user_name, secret)


def make_client(organization: Organization, *, origin: str = "") -> Connector:
    """Return the connector of the registry to the client of the world that is played."""
    return _hired[-1].client(organization, origin)


@contextmanager
def _hiring(workers: Workers) -> Iterator[None]:
    known = getattr(settings, _SETTING, None)
    made = {"dynamics": make_server, "hosted": make_client}
    paths = {name: f"{__name__}.{make.__name__}" for name, make in made.items()}
    setattr(settings, _SETTING, {**(known or {}), **paths})
    _hired.append(workers)
    try:
        yield
    finally:
        _hired.pop()
        setattr(settings, _SETTING, known)
