"""Programs that use embedded services of their own, started by tests as separate processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from resco_sync.environment import BASE_DIR
from resco_sync.services.layout import Layout

# Ensures the services, runs a statement, says so, and waits for a line before it ends.
USER = """
import sys, psycopg, redis
from resco_sync import services
services.ensure()
place = services.find_layout()
database = psycopg.connect(place.database_url, autocommit=True)
cache = redis.Redis(unix_socket_path=str(place.valkey_socket), decode_responses=True)
exec(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
"""
WAIT_SECONDS = 60


def environment(var: Path, **more: str) -> dict[str, str]:
    """Return an environment in which only the embedded services can be meant."""
    urls = ("DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if name not in urls}
    ours = {"RESCO_SYNC_VAR": str(var), "DJANGO_SETTINGS_MODULE": "resco_sync.settings"}
    return {**kept, **ours, **more}


def start(var: Path, statement: str = "", **more: str) -> subprocess.Popen[str]:
    """Start a program that uses the services of `var`."""
    return subprocess.Popen(
        [sys.executable, "-c", USER, statement],
        env=environment(var, **more),
        cwd=BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def started(var: Path, statement: str = "", **more: str) -> subprocess.Popen[str]:
    """Start such a program and wait until the services answer it."""
    program = start(var, statement, **more)
    assert program.stdout is not None
    assert program.stderr is not None
    line = program.stdout.readline()
    assert line == "ready\n", program.stderr.read()
    return program


def run(var: Path, statement: str = "", **more: str) -> str:
    """Run such a program to its end; return what it printed, errors included."""
    program = start(var, statement, **more)
    output, errors = program.communicate("\n")
    return output + errors


def end(program: subprocess.Popen[str]) -> None:
    """Let a program end by itself."""
    program.communicate("\n")


def servers(place: Layout) -> list[psutil.Process]:
    """Return the supervisor and the servers (not their helpers) that run for this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            supervisor = words[1:] == ["-m", "resco_sync.services"]
            ours = supervisor and process.environ().get("RESCO_SYNC_VAR") == str(place.var)
            if ours or {str(place.var / "postgres"), str(place.var / "valkey")} & set(words):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for something that other processes do."""
    end_time = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end_time, "it did not happen in time"
        time.sleep(0.05)
