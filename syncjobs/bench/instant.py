"""`bench instant`: from a client write answered to the same value on the server, over HTTP.

Web pages and worker are programs of their own, as in an installation; the twin is served by the
same pages. Beside it stands what the server itself needs for the same write.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import requests
from celery import current_app

from connections.models import Connection
from organizations.models import Member, Organization
from organizations.store import Store
from syncjobs.bench import recording, serve, world
from syncjobs.bench.pull import Say
from syncjobs.sync_state import HEADER

_SECONDS = 60
_MODES = (Connection.Reply.AFTER, Connection.Reply.BEFORE)
_EXECUTE = (
    '<Entity xmlns="http://schemas.resco.net/XRM/Execute" EntityName="{entity}" Action="Update">'
    "<id>{id}</id><name>{name}</name></Entity>"
)


def compare(records: int, writes: int, say: Say) -> dict[str, Any]:
    """Change records of the client one after the other, in both modes; times in milliseconds."""
    login = world.make_server(2 * records)
    port = recording.free_port()
    host = f"127.0.0.1:{port}"
    with ExitStack() as programs:
        programs.enter_context(web(port))
        connection = world.connect(f"http://{host}/dynamics/{world.SERVER}", login)
        recording.pull(connection)
        connection.write_mode = Connection.WriteMode.INSTANT
        connection.save()
        programs.enter_context(worker())
        bench = _Bench(host, login, records)
        found: dict[str, Any] = {"server alone": _told(bench.on_server(writes))}
        say(f"server alone: {found['server alone']}")
        for mode in _MODES:
            Connection.objects.update(reply=mode)
            found[f"{mode} answering"] = bench.on_client(f"{mode}", writes)
            say(f"{mode}: {found[f'{mode} answering']}")
    return found


@contextmanager
def web(port: int) -> Iterator[None]:
    """Serve the pages from programs of their own."""
    options = f"--bind 127.0.0.1:{port} --worker-class gthread --workers 2 --threads 8"
    quiet = ["--log-level", "warning", "--limit-request-line", "0"]
    command = ["-m", "gunicorn", "resco_sync.wsgi:application", *options.split(), *quiet]
    with _program(command):
        _until(lambda: _answers(port))
        yield


@contextmanager
def worker() -> Iterator[None]:
    """Run the worker of deliveries, as `serve` does."""
    options = "--quiet -A resco_sync worker -Q deliveries --pool=threads --concurrency=4"
    with _program(["-m", "celery", *options.split()]):
        _until(lambda: bool(current_app.control.ping(timeout=1.0)))
        yield


@contextmanager
def _program(arguments: Sequence[str]) -> Iterator[None]:
    command = [sys.executable, *arguments]
    process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own programs
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


class _Bench:
    """Writes to both sides; each write has a name of its own."""

    def __init__(self, host: str, login: world.Login, records: int) -> None:
        member = Member.objects.get(organization__name=world.CLIENT)
        member.set_password(world.SECRET)
        member.save()
        self._host, self._records = host, records
        self._server = Store(Organization.objects.get(name=world.SERVER))
        self._session, self._client = requests.Session(), requests.Session()
        self._client.auth = (member.email, world.SECRET)
        self._client.headers["Content-Type"] = "application/xml"
        token = serve.token(host, login)
        self._session.headers.update({"Authorization": f"Bearer {token}"})

    def on_server(self, writes: int) -> list[float]:
        """Return the seconds that the server's own answers take."""
        root = f"http://{self._host}/dynamics/{world.SERVER}/api/data/v9.2"
        times = []
        for number in range(writes):
            # Not those that the client writes: they would be changed on both sides.
            record = world.record_id(self._records + number % self._records)
            url = f"{root}/{world.entity().set_name}({record})"
            begun = time.perf_counter()
            answer = self._session.patch(url, json={"description": f"{number}"}, timeout=_SECONDS)
            answer.raise_for_status()
            times.append(time.perf_counter() - begun)
        return times

    def on_client(self, mode: str, writes: int) -> dict[str, Any]:
        """Return how long answers take, and how long after them the server has the value."""
        answered, visible, states = [], [], set()
        for number in range(writes):
            name = f"{mode} {number}"
            begun = time.perf_counter()
            states.add(self._write(self._id(number), name))
            done = time.perf_counter()
            _until(partial(self._has, number, name))
            answered.append(done - begun)
            visible.append(time.perf_counter() - done)
        return {
            "answered": _told(answered),
            "answered to visible": _told(visible),
            HEADER: ", ".join(sorted(states)),
        }

    def _write(self, record: str, name: str) -> str:
        body = _EXECUTE.format(entity=world.ENTITY, id=record, name=name)
        url = f"http://{self._host}/rest/v1/data/{world.CLIENT}/Execute"
        answer = self._client.post(url, body, timeout=_SECONDS)
        answer.raise_for_status()
        return answer.headers.get(HEADER, "none")

    def _has(self, number: int, name: str) -> bool:
        return bool(self._server.get(world.ENTITY, self._id(number)).values["name"] == name)

    def _id(self, number: int) -> str:
        return world.record_id(number % self._records)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code < 500
    except requests.RequestException:
        return False


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"Nothing came in {_SECONDS} seconds.")
        time.sleep(0.002)


def _told(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "p50 ms": round(1000 * statistics.median(ordered), 1),
        "p95 ms": round(1000 * ordered[int(len(ordered) * 0.95)], 1),
        "max ms": round(1000 * ordered[-1], 1),
    }
