"""Recording the tapes: the twin is asked once for each phase, over real HTTP."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread
from wsgiref.simple_server import WSGIServer, make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection as database

from connections.connectors.dynamics import ranges
from connections.models import Connection
from organizations.models import Organization
from organizations.store import Store
from syncjobs import dispatch, runner
from syncjobs.bench import world
from syncjobs.bench.quiet import Quiet
from syncjobs.bench.tape import Tape, TapeServer
from syncjobs.models import Run

FULL, IDLE, CHANGED, COMPARED = "full", "idle", "changed", "compared"
QUIET = IDLE, CHANGED, COMPARED
"""The phases after the first load, in order."""


@contextmanager
def twin_server() -> Iterator[str]:
    """Serve this installation on a free port of 127.0.0.1; yields host:port."""
    server: WSGIServer = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@contextmanager
def replaying(folder: Path, port: int) -> Iterator[None]:
    """Serve a tape on the port it was recorded on, from a process of its own."""
    _ask_as_recorded()
    command = [sys.executable, "-m", "syncjobs.bench.replay", str(folder), str(port)]
    with Popen(command, stdout=PIPE) as process:  # noqa: S603 - our own module
        try:
            if process.stdout is None or process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"The tape {folder} could not be served on port {port}.")
            yield
        finally:
            process.kill()


def _ask_as_recorded() -> None:
    # How a large entity is read depends on how long a page takes: not the same from a tape.
    ranges.MANY = sys.maxsize


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def record(folder: Path, port: int, records: int) -> Connection:
    """Make both organizations; record each phase: a first load, idle, 1 % changed, all compared."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    _ask_as_recorded()
    login = world.make_server(records)
    with twin_server() as source:
        url = f"http://127.0.0.1:{port}/dynamics/{world.SERVER}"
        with _recording(folder / FULL, port, source):
            connection = world.connect(url, login)
            pull(connection)
        for phase in QUIET:
            prepare(connection, phase)
            if phase == CHANGED:
                _change(records)
            with _recording(folder / phase, port, source):
                pull(connection)
        world.set_deleting(connection, True)
    return connection


def prepare(connection: Connection, phase: str) -> None:
    """Let only the last phase compare ids: Sync Deletion does that in every run."""
    world.set_deleting(connection, phase == COMPARED)


def pull(connection: Connection) -> Run:
    """Carry out Sync All in this process; raises unless it succeeded."""
    run = dispatch.start_sync(connection, reason="bench", inline=True)
    runner.work(run.pk)
    run.refresh_from_db()
    if run.state != Run.State.SUCCEEDED:
        raise RuntimeError(f"The run ended {run.state}: {run.message}")
    return run


@contextmanager
def _recording(folder: Path, port: int, source: str) -> Iterator[None]:
    tape = Tape(folder)
    with TapeServer(tape, port, source) as server:
        server.start()
        yield
        server.shutdown()
    tape.save()


def _change(records: int) -> None:
    """Create, update and delete 1 % of the records on the twin."""
    twin = Organization.objects.get(name=world.SERVER)
    store = Store(twin)
    part = max(3, records // 300)
    for number in range(part):
        store.update(world.ENTITY, world.record_id(number), {"name": f"Renamed {number}"})
        store.delete(world.ENTITY, world.record_id(records - 1 - number))
        store.create(world.ENTITY, {"name": f"New {number}"})
    with database.cursor() as cursor:
        cursor.execute("ANALYZE")
