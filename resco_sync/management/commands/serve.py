"""`manage.py serve`: the whole product in the foreground, as `make run` starts it."""

from __future__ import annotations

import signal
import socket
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from resco_sync import administrator, demo, services, web
from resco_sync.processes import Processes, stopped_at_end


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
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        processes = Processes(settings.VAR / "serve.json", web.environment())
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
        self._say("Starting …")
        web.start(processes)
        if settings.RESCO_SYNC_DEMO and not demo.is_there():
            web.wait(processes)
            processes.start("demo", [sys.executable, "manage.py", "demo"])
            if processes.wait("demo"):
                self.stderr.write("The demo could not be made (see above); the product runs on.")
        connection.close()
        processes.start("worker", _worker("runs", "--concurrency=2"))
        processes.start("worker of the clock", _worker("clock", "--pool=solo"))
        deliveries = _worker("deliveries", "--pool=threads", "--concurrency=4")
        processes.start("worker of deliveries", deliveries)
        processes.start("clock", _celery("beat", "--pidfile="))
        web.wait(processes)
        self._say(f"Resco CRM Sync is at {web.address()}/ (Ctrl-C stops it)")

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
            one.bind((web.HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} of {web.HOST} cannot be had ({error.strerror}); stop the program "
                "that has it, or set PORT to another number."
            ) from None


def _celery(program: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--quiet", "-A", "resco_sync", program, *options]


def _worker(queue: str, *options: str) -> list[str]:
    name = f"--hostname={queue}@%h"
    calm = ("--without-gossip", "--without-mingle")
    return _celery("worker", f"--queues={queue}", name, *calm, *options)
