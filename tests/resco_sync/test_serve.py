"""`manage.py serve`, as `make run` starts it, from an empty folder to a running product."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from resco_sync.environment import BASE_DIR
from resco_sync.services.layout import Layout
from tests.resco_sync.services import programs
from tests.resco_sync.services.places import made_place

UP = "Resco CRM Sync is at"


@pytest.fixture
def place() -> Iterator[Layout]:
    """Give a data folder whose services are gone at the end."""
    with made_place() as layout:
        yield layout


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def serve(var: Path, port: int, **more: str) -> subprocess.Popen[str]:
    """Start the product."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        env=programs.environment(var, PORT=str(port), **more),
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def lines_until_up(product: subprocess.Popen[str]) -> list[str]:
    """Return what it says until it is up."""
    assert product.stdout is not None
    lines: list[str] = []
    while not lines or not lines[-1].startswith(UP):
        line = product.stdout.readline()
        assert line, "".join(lines)
        lines.append(line)
    return lines


def end(product: subprocess.Popen[str], number: int) -> str:
    """Send a signal and return what it says until it has ended."""
    product.send_signal(number)
    return product.communicate()[0]


def test_it_comes_up_with_the_demo_and_keeps_it(place: Layout) -> None:
    port = free_port()
    first = serve(place.var, port)
    lines = lines_until_up(first)
    said = "".join(lines)
    table = [line.split() for line in lines if line.endswith(("  yes\n", "of them\n"))]
    assert len(table) >= 15
    assert all(server == client and verdict == "yes" for _, server, client, verdict in table)
    assert "Administrator: admin   password: " in said
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
        assert answer.status == 200
    first.kill()
    first.wait()

    second = serve(place.var, port)
    said = "".join(lines_until_up(second))
    assert "Ended the programs that an earlier start left running." in said
    assert "password" not in said
    assert "Making the twin" not in said
    assert end(second, signal.SIGTERM).endswith("Stopped.\n")
    assert second.returncode == 0
    programs.wait_for(lambda: not programs.servers(place))


def test_it_says_who_has_to_give_way_on_a_taken_port(place: Layout) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        product = serve(place.var, port, RESCO_SYNC_DEMO="0")
        said, _ = product.communicate()
    assert product.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be had (Address already in use); stop the" in said
    assert "set PORT to another number." in said
