"""`manage.py serve`: the whole product in the foreground, as `make run` starts it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from connections.models import Connection
from resco_sync import administrator, services
from resco_sync.processes import Processes, stopped_at_end

HOST = "127.0.0.1"
WEB_SECONDS = 60
DEMO_CLIENT = "field"


class Command(BaseCommand):
    """Prepare the database, then run web, worker and clock until Ctrl-C.

    1. End what an earlier start that was killed left running.
    2. Migrations; an administrator where there is none (its password is printed once).
    3. The web pages.
    4. The demo, unless RESCO_SYNC_DEMO is 0 or it is there: it needs the pages, since its server
       organization is reached over HTTP, and must not share its first run with a worker.
    5. Worker and clock. When any program ends, all do.
    """

    help = "Run the whole product in the foreground: web, worker and clock."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal or until a program ends."""
        signal.signal(signal.SIGTERM, _interrupt)
        environment = {"RESCO_SYNC_REGISTRATION": "open", **os.environ}
        processes = Processes(settings.VAR / "serve.json", environment)
        try:
            with stopped_at_end(processes):
                self._start(processes)
                name, code = processes.watch()
            raise CommandError(f"The {name} ended by itself (exit code {code}); all is stopped.")
        except KeyboardInterrupt:
            self._say("Stopped.")
        finally:
            services.release()
            services.wait_stopped()

    def _start(self, processes: Processes) -> None:
        if processes.end_left_over():
            self._say("Ended the programs that an earlier start left running.")
        _check_port(settings.PORT)
        self._prepare()
        self._say("Starting the web pages …")
        processes.start("web", _web())
        _wait_for_web(processes)
        if settings.RESCO_SYNC_DEMO and not Connection.objects.filter(name=DEMO_CLIENT).exists():
            processes.start("demo", _manage("demo"))
            if processes.wait("demo"):
                self.stderr.write("The demo could not be made (see above); the product runs on.")
        connection.close()
        processes.start("worker", _worker("runs", "--concurrency=2"))
        processes.start("worker of the clock", _worker("clock", "--pool=solo"))
        processes.start("clock", _celery("beat", "--pidfile="))
        self._say(f"Resco CRM Sync is at http://{HOST}:{settings.PORT}/ (Ctrl-C stops it)")

    def _prepare(self) -> None:
        self._say("Preparing the database …")
        call_command("migrate", verbosity=0)
        made = administrator.make_first()
        if made:
            self._say(f"Administrator: {made[0]}   password: {made[1]}   (shown only now)")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _check_port(port: int) -> None:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} of {HOST} cannot be had ({error.strerror}); stop the program that "
                "has it, or set PORT to another number."
            ) from None


def _wait_for_web(processes: Processes) -> None:
    """Wait until the web pages answer; stop when the program ends or takes too long."""
    url = f"http://{HOST}:{settings.PORT}/healthz"
    end = time.monotonic() + WEB_SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, OSError):
            pass
        if processes.ended():
            raise CommandError("The web pages could not be started; the reason is above.")
        time.sleep(0.1)
    raise CommandError(f"The web pages did not answer in {WEB_SECONDS} seconds at {url}.")


def _web() -> list[str]:
    options = {
        "--bind": f"{HOST}:{settings.PORT}",
        "--worker-class": "gthread",
        "--workers": "2",
        "--threads": "8",
        "--timeout": "120",
        "--log-level": "warning",
    }
    words = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "gunicorn", "resco_sync.wsgi:application", *words]


def _celery(program: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--quiet", "-A", "resco_sync", program, *options]


def _worker(queue: str, *options: str) -> list[str]:
    name = f"--hostname={queue}@%h"
    calm = ("--without-gossip", "--without-mingle")
    return _celery("worker", f"--queues={queue}", name, *calm, *options)


def _manage(*words: str) -> list[str]:
    return [sys.executable, "manage.py", *words]
