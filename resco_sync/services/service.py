"""What PostgreSQL and Valkey have in common: found, started, watched and stopped alike."""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from resco_sync.liveness import is_alive, wait_ended
from resco_sync.services.layout import Layout, ServicesError

logger = logging.getLogger(__name__)

START_SECONDS = 60
STOP_SECONDS = 60
POLL_SECONDS = 0.05


class Service(ABC):
    """One server program on a unix socket, with its data in the installation's folder.

    Attributes:
        title: Its name in messages.
        variable: The variable that, when set, names another server to use instead.
        stop_signal: What asks it to end cleanly.
    """

    title: str
    variable: str
    stop_signal: signal.Signals = signal.SIGTERM

    def __init__(self, layout: Layout) -> None:
        """Take the folders; start nothing."""
        self.layout = layout
        self._process: psutil.Process | None = None

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """Where the server writes its process number on the first line."""

    @property
    @abstractmethod
    def data(self) -> Path:
        """The folder of its data; part of its command line."""

    @abstractmethod
    def answers(self) -> bool:
        """Return whether the server is ready for work on its socket."""

    @abstractmethod
    def prepare(self) -> None:
        """Make folders and data; called when no server runs."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    def complete(self) -> None:  # noqa: B027 - most are complete when they run
        """Make what can only be made in the running server; called until it answers."""

    def process_options(self) -> dict[str, Any]:
        """More arguments of Popen, for instance the user."""
        return {}

    def notices(self) -> list[str]:
        """What a first start will change outside the folders, for a person to know."""
        return []

    def check(self) -> None:  # noqa: B027 - most have nothing to check
        """Raise ServicesError when the data cannot be used by this program."""

    def start(self) -> None:
        """Take over a server that outlived its supervisor, else start one; wait until it answers.

        Raises:
            ServicesError: it ended at once or did not answer in time.
        """
        self.check()
        self._process = self._orphan()
        if self._process is not None:
            logger.info("%s runs already as process %s", self.title, self._process.pid)
        else:
            self._wait_for_helpers()
            self.pid_file.unlink(missing_ok=True)
            self.prepare()
            self._process = self._spawn()
            logger.info("%s started as process %s", self.title, self._process.pid)
        self._wait()

    def is_alive(self) -> bool:
        """Return whether the process is there and no zombie."""
        return self._process is not None and is_alive(self._process)

    def stop(self) -> None:
        """Ask it to end, wait, and kill it if it does not."""
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            self._process.send_signal(self.stop_signal)
            if not wait_ended(self._process, STOP_SECONDS):
                logger.warning("%s did not end in %s s and is killed", self.title, STOP_SECONDS)
                self._process.kill()
                wait_ended(self._process, STOP_SECONDS)
        self._process = None

    def _spawn(self) -> psutil.Process:
        log = self.layout.log.with_name(f"{self.title.lower()}.log")
        with log.open("ab") as output:
            return psutil.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.data,
                **self.process_options(),
            )

    def _orphan(self) -> psutil.Process | None:
        """Return the server that the pid file names.

        The number may belong to another program by now, or to a dead one that nobody buried.
        """
        try:
            process = psutil.Process(int(self.pid_file.read_text().split("\n", 1)[0]))
            ours = str(self.data) in process.cmdline() and is_alive(process)
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
            return None
        return process if ours else None

    def _wait_for_helpers(self) -> None:
        """Wait for the helpers of a killed server: PostgreSQL does not start beside them."""
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.cwd() == str(self.data) and not wait_ended(process, STOP_SECONDS):
                    raise ServicesError(
                        f"Process {process.pid} of a killed {self.title} still works in "
                        f"{self.data}; end it and start again."
                    )

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while not self.answers():
            log = self.layout.log.with_name(f"{self.title.lower()}.log")
            if not self.is_alive():
                raise ServicesError(f"{self.title} ended while starting; the reason is in {log}.")
            if time.monotonic() > end:
                self.stop()
                raise ServicesError(
                    f"{self.title} did not answer in {START_SECONDS} seconds; see {log}."
                )
            time.sleep(POLL_SECONDS)
            self.complete()
