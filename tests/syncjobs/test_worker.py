"""Real workers on the real broker: round trip, kill -9, takeover, double delivery, two at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest
from celery import Celery
from django.conf import settings
from django.db import connection as database

from connections.models import Connection
from resco_sync import addresses
from syncjobs import dispatch
from syncjobs.models import Run
from tests.syncjobs.making import (
    client_store,
    drop_organizations,
    fill,
    make_pair,
    names,
    server_store,
)
from tests.syncjobs.test_lease import let_end

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = 5000


@pytest.fixture(autouse=True)
def _no_organizations_left(transactional_db: None) -> Iterator[None]:
    yield
    drop_organizations()


class Worker:
    """A Celery worker with its beat, in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        test_database = database.settings_dict["NAME"]
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{test_database}").geturl()
        environment = os.environ | {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "resco_sync.settings",
            "RESCO_SYNC_VAR": str(folder),
        }
        command = "celery -A resco_sync.celery worker -B --concurrency 3 --loglevel warning"
        self._log = (folder / "worker.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command.split(), "--schedule", str(folder / "schedule")],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def kill(self) -> None:
        """kill -9 of the worker and all its children."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


@pytest.fixture
def make_worker(tmp_path: Path) -> Iterator[Callable[[], Worker]]:
    """Starts workers; whatever still runs is killed at the end."""
    made: list[Worker] = []

    def make() -> Worker:
        made.append(Worker(tmp_path))
        return made[-1]

    yield make
    for worker in made:
        worker.kill()


def broker() -> Celery:
    """What the workers listen to; the tests' own settings name another broker."""
    app = Celery("outside", broker=addresses.redis(os.environ["REDIS_URL"]).broker)
    prefix = f"resco-sync:{database.settings_dict['NAME']}:"
    app.conf.broker_transport_options = {"global_keyprefix": prefix}
    app.conf.task_default_queue = settings.CELERY_TASK_DEFAULT_QUEUE
    return app


def until(condition: Callable[[], bool]) -> None:
    """Wait; the time limit of the test ends it."""
    while not condition():
        time.sleep(0.1)


def state(run: Run) -> str:
    return Run.objects.values_list("state", flat=True).get(pk=run.pk)


@contextmanager
def in_the_way(connection: Connection, number: int) -> Iterator[None]:
    """An open transaction holds that id of the client, so the page that brings it must wait."""
    parameters = database.get_connection_params()
    wanted = {name: parameters.get(name) for name in ("dbname", "user", "password", "host", "port")}
    with psycopg.connect(**{key: value for key, value in wanted.items() if value}) as other:
        other.execute(
            f'INSERT INTO "org_{connection.name}"."account" (accountid, versionnumber) '
            "VALUES (%s, 0)",
            [UUID(int=number)],
        )
        yield
        other.rollback()


def read_so_far(run: Run) -> int:
    return sum(run.entities.values_list("read", flat=True))


def test_it_goes_on_at_the_last_page_after_kill_9(make_worker: Callable[[], Worker]) -> None:
    connection = make_pair()
    fill(connection, 20 * PAGE)
    run = dispatch.start_sync(connection, reason="test")
    with in_the_way(connection, 10 * PAGE + 1):
        worker = make_worker()
        until(lambda: read_so_far(run) >= 10 * PAGE)
        worker.kill()
    assert state(run) == "running"
    let_end(run)
    make_worker()
    until(lambda: state(run) != "running")
    run.refresh_from_db()
    assert (run.state, run.fence) == ("succeeded", 2)
    entity = run.entities.get()
    assert (entity.read, entity.created) == (20 * PAGE, 20 * PAGE)
    assert names(client_store(connection)) == names(server_store(connection))


def test_it_carries_out_once_what_is_delivered_twice(make_worker: Callable[[], Worker]) -> None:
    connection = make_pair()
    fill(connection, 10)
    run = dispatch.start_sync(connection, reason="test")
    make_worker()
    app = broker()
    for _ in range(5):
        app.send_task(dispatch.WAKE_TASK, (str(run.pk),))
    until(lambda: state(run) not in ("queued", "running"))
    last = dispatch.start_sync(connection, reason="test")
    app.send_task(dispatch.WAKE_TASK, (str(last.pk),))
    until(lambda: state(last) not in ("queued", "running"))
    run.refresh_from_db()
    assert (run.state, run.fence, read_so_far(run)) == ("succeeded", 1, 10)


def test_it_runs_two_connections_at_once_and_one_of_each(
    make_worker: Callable[[], Worker],
) -> None:
    connections = [make_pair("field"), make_pair("south")]
    for connection in connections:
        fill(connection, 10)
    runs = [dispatch.start_sync(connection, reason="test") for connection in connections]
    with in_the_way(connections[0], 1), in_the_way(connections[1], 1):
        make_worker()
        until(lambda: [state(run) for run in runs] == ["running", "running"])
        waiting = dispatch.start_sync(connections[0], reason="test")
        broker().send_task(dispatch.WAKE_TASK, (str(waiting.pk),))
        assert state(waiting) == "queued"
    until(lambda: {state(run) for run in [*runs, waiting]} == {"succeeded"})
