"""What every test has: its own cache, and no network but this machine."""

from __future__ import annotations

import ipaddress
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.core.servers.basehttp import WSGIRequestHandler
from django.db import connection

from tests import environment

# The live server writes header and body apart, and without this every answer waits 40 ms.
WSGIRequestHandler.disable_nagle_algorithm = True

LOCAL_NAMES = frozenset({"", "localhost", "ip6-localhost"})


class NetworkUsedError(Exception):
    """A test tried to reach another machine; give it a server on loopback."""


def pytest_unconfigure() -> None:
    """Stop the embedded services of this run, if it started any."""
    environment.clean_up()


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test an empty cache: another key prefix, since the server is shared."""
    prefix = f"test:{uuid.uuid4()}"
    monkeypatch.setitem(caches.settings["default"], "KEY_PREFIX", prefix)
    monkeypatch.setattr(caches["default"], "key_prefix", prefix)


@pytest.fixture(autouse=True)
def _no_left_schemas(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop the organizations' schemas after a test that commits: a flush empties tables only."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction")):
        with request.getfixturevalue("django_db_blocker").unblock(), connection.cursor() as cursor:
            cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'org\\_%'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP SCHEMA "{name}" CASCADE')


@pytest.fixture(autouse=True, scope="session")
def _only_loopback() -> Iterator[None]:
    """Refuse connections to other machines, and look up no names."""
    with pytest.MonkeyPatch.context() as patch:
        connect, connect_ex, look_up = (
            socket.socket.connect,
            socket.socket.connect_ex,
            socket.getaddrinfo,
        )

        def guarded_connect(self: socket.socket, address: Any) -> None:
            _check(self, address)
            connect(self, address)

        def guarded_connect_ex(self: socket.socket, address: Any) -> int:
            _check(self, address)
            return connect_ex(self, address)

        def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
            if not _is_local(host) and not _is_address(host):
                raise socket.gaierror(socket.EAI_NONAME, f"tests look up no names: {host}")
            return look_up(host, *args, **kwargs)

        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


def _check(sock: socket.socket, address: Any) -> None:
    if sock.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
        raise NetworkUsedError(f"{address[0]}:{address[1]} is not this machine")


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")


def _is_address(host: Any) -> bool:
    try:
        ipaddress.ip_address(_text(host).partition("%")[0])
    except ValueError:
        return False
    return True


def _is_local(host: Any) -> bool:
    name = _text(host)
    if name in LOCAL_NAMES or name == socket.gethostname():
        return True
    return _is_address(name) and ipaddress.ip_address(name.partition("%")[0]).is_loopback
