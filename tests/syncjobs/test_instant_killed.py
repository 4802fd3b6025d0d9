"""Many writers at once while web, worker and database sessions are killed: nothing lost or doubled.

Web and worker are real processes; the server is a twin that the same web process serves, so it
goes down with it. A writer believes only what was answered, and asks again when it was not.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import requests
from django.conf import settings as django_settings
from django.db import connection as database
from pytest_django.fixtures import Settings

from connections.connect import service
from connections.models import Connection
from organizations.models import ChangeLog
from syncjobs.bench.recording import free_port
from syncjobs.models import OfflineTransaction
from tests.connections.connect.live import Live, live, records
from tests.syncjobs.test_deliver import on_server, sync
from tests.syncjobs.test_sync_state import ADMIN

__all__ = ["live"]
pytestmark = pytest.mark.usefixtures("no_organizations_left")

WRITERS = 100
CHANGES = 2
KILLS = 6
SEED = 4
LONG = "--limit-request-line 0"
"""Dynamics takes long addresses; gunicorn's own limit is short."""


class Program:
    """A program of the installation on the test's database; it can be killed and started again."""

    def __init__(self, folder: Path, arguments: str, port: int) -> None:
        name = database.settings_dict["NAME"]
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        self._environment = os.environ | {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "resco_sync.settings",
            "RESCO_SYNC_VAR": str(folder),
            "RESCO_SYNC_EGRESS_ALLOW": "127.0.0.1",
            "ALLOWED_HOSTS": "127.0.0.1",
            "PORT": str(port),
        }
        self._command = [sys.executable, "-m", *arguments.split()]
        self._log = (folder / "programs.log").open("ab")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            cwd=django_settings.BASE_DIR,
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def kill(self) -> None:
        """kill -9 of it and all its children."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()


@pytest.fixture(autouse=True)
def _product_settings(settings: Settings) -> None:
    """Store passwords so that the programs, which have no settings of tests, know them."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def programs(tmp_path: Path, port: int) -> Iterator[list[Program]]:
    """Web, and a worker with its clock."""
    gunicorn = f"gunicorn resco_sync.wsgi:application --bind 127.0.0.1:{port}"
    celery = f"celery -A resco_sync worker -B --pool threads --schedule {tmp_path}/schedule"
    made = [
        Program(
            tmp_path, f"{gunicorn} {LONG} --worker-class gthread --workers 2 --threads 8", port
        ),
        Program(tmp_path, f"{celery} --concurrency 4 --loglevel warning", port),
    ]
    yield made
    for program in made:
        program.kill()


@pytest.fixture
def connection(live: Live, port: int) -> Connection:
    """A client of the twin, written at once, in step; its server is the killed web process."""
    made = live.connect("account", write_offline=False)
    service.carry_out(made)
    sync(made)
    made = Connection.objects.get(pk=made.pk)
    made.server.url = f"http://127.0.0.1:{port}/dynamics/contoso"
    made.server.save()
    return made


def kill_sessions(mine: int) -> None:
    """End every session of the database but the test's own, as its restart does."""
    parameters = database.get_connection_params()
    wanted = {name: parameters.get(name) for name in ("dbname", "user", "password", "host", "port")}
    with psycopg.connect(**{key: value for key, value in wanted.items() if value}) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
            "current_database() AND pid NOT IN (pg_backend_pid(), %s)",
            [mine],
        )


def own_session() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def write(port: int, record: str, name: str, action: str) -> None:
    """Write until it is answered; a create that finds the record had been carried out."""
    body = (
        '<Entity xmlns="http://schemas.resco.net/XRM/Execute" EntityName="account" '
        f'Action="{action}"><id>{record}</id><name>{name}</name></Entity>'
    )
    url = f"http://127.0.0.1:{port}/rest/v1/data/field/Execute"
    headers = {"Content-Type": "application/xml"}
    while True:
        try:
            answer = requests.post(url, body, headers=headers, auth=ADMIN, timeout=30)
        except requests.RequestException:
            time.sleep(0.2)
            continue
        assert answer.status_code != 401, answer.text
        if answer.status_code == 200 and ("<Fault" not in answer.text or "exist" in answer.text):
            return
        time.sleep(0.2)


def until(condition: Callable[[], bool]) -> None:
    """Wait; the time limit of the test ends it."""
    while not condition():
        time.sleep(0.2)


def write_all(port: int) -> dict[str, str]:
    """Let all writers write; return id → last name that was answered."""

    def one(number: int) -> tuple[str, str]:
        record = str(uuid4())
        write(port, record, f"{number}:0", "Create")
        for change in range(1, CHANGES):
            write(port, record, f"{number}:{change}", "Update")
        return record, f"{number}:{CHANGES - 1}"

    with ThreadPoolExecutor(WRITERS) as writers:
        return dict(writers.map(one, range(WRITERS)))


def test_nothing_is_lost_or_doubled(
    live: Live, connection: Connection, programs: list[Program], port: int
) -> None:
    chance, ended = random.Random(SEED), Event()
    victims: list[Callable[[], None]] = [
        *(program.restart for program in programs),
        partial(kill_sessions, own_session()),
    ]

    def kill() -> None:
        for _ in range(KILLS):
            if ended.wait(chance.uniform(0.5, 3)):
                return
            chance.choice(victims)()

    killer = Thread(target=kill)
    killer.start()
    written = write_all(port)
    ended.set()
    killer.join()
    until(lambda: on_server(live) == written)
    waiting = OfflineTransaction.objects.filter(status__in=("pending", "error"))
    until(lambda: not waiting.exists())
    on_client = {str(row[0]): row[1] for row in records().page("account", ["accountid", "name"])}
    assert on_client == written
    assert_once(live)


def assert_once(live: Live) -> None:
    """On the server no record was made twice, and no value was written twice or went back."""
    log = ChangeLog.objects.filter(organization=live.twin, entity="account").order_by("version")
    seen: dict[str, list[str]] = {}
    for record, values in log.values_list("record", "values"):
        pair = (values or {}).get("name")
        if pair:
            seen.setdefault(str(record), []).append(str(pair[1]))
    assert len(seen) == WRITERS
    for names in seen.values():
        assert names == sorted(set(names))
