"""Faults of a twin: which requests are struck, and what arrives over real HTTP."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings
from django.db import connection
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from organizations.dynamics import tokens
from organizations.dynamics.faults_switching import switch_off, switch_on
from organizations.errors import InvalidRequest
from organizations.models import Organization, TwinFault
from organizations.store import Store
from tests.organizations.dynamics.library import Api, make, make_application, make_twin

Kind = TwinFault.Kind
BREAKS = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


class Wire:
    """Speaks to a twin over a socket."""

    def __init__(self, base: str, twin: Organization) -> None:
        self.twin = twin
        self.root = f"{base}/dynamics/{twin.name}/api/data/v9.2/"
        self.application = make_application(twin)
        self.session = requests.Session()
        self.renew()

    def renew(self) -> None:
        token = tokens.issue(self.twin, self.application)
        self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str = "books") -> requests.Response:
        return self.session.get(f"{self.root}{path}", timeout=10)

    def post(self, **values: Any) -> requests.Response:
        return self.session.post(f"{self.root}books", json=values, timeout=10)

    def books(self) -> int:
        return Store(self.twin).count_records("book")


@pytest.fixture
def wire(transactional_db: None, live_server: LiveServer) -> Iterator[Wire]:
    found = Wire(live_server.url, make_twin("wired"))
    yield found
    found.session.close()


@pytest.fixture(params=["sync", "gthread"])
def gunicorn(transactional_db: None, tmp_path: Path, request: Any) -> Iterator[str]:
    """Start gunicorn on the test's database; return its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    name = f"/{connection.settings_dict['NAME']}"
    environment = os.environ | {
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=name).geturl(),
        "DJANGO_SETTINGS_MODULE": "resco_sync.settings",
        "RESCO_SYNC_VAR": str(tmp_path),
    }
    command = f"gunicorn --bind {address} --worker-class {request.param} resco_sync.wsgi"
    with subprocess.Popen(
        [sys.executable, "-m", *command.split()], env=environment, cwd=settings.BASE_DIR
    ) as process:
        try:
            wait_for(f"http://{address}/healthz")
            yield f"http://{address}"
        finally:
            process.terminate()


def wait_for(url: str) -> None:
    for _ in range(200):
        try:
            requests.get(url, timeout=5)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{url} does not answer")


def statuses(api: Api, path: str = "books", times: int = 20) -> list[int]:
    return [api.send("GET", path).status_code for _ in range(times)]


@pytest.mark.django_db
def test_it_strikes_the_same_requests_again(api: Api) -> None:
    switch_on(api.twin, "unavailable", {"probability": 0.3, "seed": 5})
    first = statuses(api)
    switch_on(api.twin, "unavailable", {"probability": 0.3, "seed": 5})
    assert statuses(api) == first
    assert set(first) == {200, 503}
    switch_on(api.twin, "unavailable", {"probability": 0.3, "seed": 6})
    assert statuses(api) != first


@pytest.mark.django_db
def test_it_counts_whom_it_struck(api: Api) -> None:
    switch_on(api.twin, "unavailable", {"probability": 0.5})
    struck = statuses(api).count(503)
    fault = api.twin.faults.get()
    assert (fault.seen, fault.struck) == (20, struck)


@pytest.mark.django_db
def test_it_strikes_the_next_requests_only(api: Api) -> None:
    switch_on(api.twin, "bad_gateway", {"count": 2})
    assert statuses(api, times=4) == [502, 502, 200, 200]


@pytest.mark.django_db
def test_it_strikes_only_the_kinds_of_requests_it_is_for(api: Api) -> None:
    switch_on(api.twin, "unavailable", {"requests": ["metadata"]})
    assert statuses(api, times=1) == [200]
    assert statuses(api, "EntityDefinitions", times=1) == [503]
    switch_on(api.twin, "unavailable", {"requests": ["token"]})
    assert statuses(api, "EntityDefinitions", times=1) == [200]
    assert Client().post(f"/dynamics/{api.twin.name}/oauth2/v2.0/token").status_code == 503


@pytest.mark.django_db
def test_it_can_be_switched_off(api: Api) -> None:
    switch_on(api.twin, "unavailable", {})
    switch_on(api.twin, "bad_gateway", {})
    assert switch_off(api.twin, "unavailable") == 1
    assert statuses(api, times=1) == [502]
    assert switch_off(api.twin) == 1
    assert statuses(api, times=1) == [200]


@pytest.mark.django_db
def test_bursts_of_429_last_as_long_as_asked_for(api: Api) -> None:
    switch_on(api.twin, "throttled", {"count": 1, "burst": 3, "after": 4})
    response = api.send("GET", "books")
    assert response.status_code == 429
    assert response["Retry-After"] == "4"
    assert json.loads(response.content)["error"]["code"] == "0x80072322"
    assert statuses(api, times=4) == [429, 429, 200, 200]


@pytest.mark.django_db
def test_gateways_answer_in_html(api: Api) -> None:
    switch_on(api.twin, "bad_gateway", {})
    response = api.send("GET", "books")
    assert response["Content-Type"] == "text/html"
    assert response.content.startswith(b"<html>")


@pytest.mark.django_db
def test_latency_lies_within_its_jitter(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("organizations.dynamics.faults.time.sleep", waits.append)
    switch_on(api.twin, "latency", {"milliseconds": 200, "jitter": 50})
    assert statuses(api, times=10) == [200] * 10
    assert len(set(waits)) == 10
    assert all(0.15 <= wait <= 0.25 for wait in waits)


@pytest.mark.django_db
def test_delta_tokens_expire(api: Api) -> None:
    link = api.get("books?$select=name", "odata.track-changes")["@odata.deltaLink"]
    switch_on(api.twin, "expired_delta", {"count": 1})
    assert statuses(api, times=1) == [200]
    assert api.fails(link)[1] == "0x80044352"
    assert api.get(link)["value"] == []


@pytest.mark.django_db
def test_a_revoked_token_stays_revoked(api: Api) -> None:
    switch_on(api.twin, "revoked", {"count": 1})
    assert statuses(api, times=3) == [401, 401, 401]
    assert "authorization_uri=" in api.send("GET", "books")["WWW-Authenticate"]
    api.token = tokens.issue(api.twin, api.user)
    assert statuses(api, times=2) == [200, 200]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        ("gremlins", {}, "There is no fault 'gremlins'."),
        ("dropped", {"colour": 1}, "A fault has no setting 'colour'."),
        ("dropped", {"probability": 2.0}, "'probability': Ensure this value is less than"),
        ("dropped", {"requests": ["read", "all"]}, "There is no kind of requests 'all'."),
        ("latency", {"milliseconds": 10**6}, "'milliseconds': Ensure this value is less than"),
    ],
)
def test_it_refuses_what_cannot_be_meant(
    library: Organization, kind: str, values: dict[str, Any], text: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        switch_on(library, kind, values)
    assert str(caught.value).startswith(text)


@pytest.mark.django_db
def test_only_twins_have_faults() -> None:
    client = Organization.objects.create(name="client")
    with pytest.raises(InvalidRequest, match="'client' is no Dynamics twin"):
        switch_on(client, "dropped", {})


def check_breaks(wire: Wire) -> None:
    """See all that can happen to an answer on its way, and that nothing else happens."""
    make(wire.twin, "book", name="A book")
    whole = wire.get()
    check_drops(wire)
    check_cuts(wire, len(whole.content))
    switch_on(wire.twin, "lost_response", {"count": 1})
    with pytest.raises(requests.ConnectionError):
        wire.post(name="Written")
    assert wire.books() == 2
    assert wire.post(name="Answered").status_code == 204


def check_drops(wire: Wire) -> None:
    switch_on(wire.twin, "dropped", {"count": 2})
    with pytest.raises(requests.ConnectionError):
        wire.get()
    with pytest.raises(requests.ConnectionError):
        wire.post(name="Never written")
    assert wire.books() == 1
    assert wire.get().status_code == 200


def check_cuts(wire: Wire, size: int) -> None:
    switch_on(wire.twin, "truncated", {"count": 1})
    with pytest.raises(BREAKS):
        wire.get()
    switch_on(wire.twin, "invalid_json", {"count": 1})
    invalid = wire.get()
    assert invalid.status_code == 200
    assert len(invalid.content) == int(invalid.headers["Content-Length"]) == size // 2
    with pytest.raises(requests.exceptions.JSONDecodeError):
        invalid.json()
    assert wire.get().json()["value"]


def test_answers_break_on_the_live_server(wire: Wire) -> None:
    check_breaks(wire)


def test_answers_break_under_gunicorn(gunicorn: str) -> None:
    wire = Wire(gunicorn, make_twin("wired"))
    check_breaks(wire)
    wire.session.close()


def test_a_dropped_connection_sends_no_byte(wire: Wire) -> None:
    switch_on(wire.twin, "dropped", {})
    parts = urlsplit(wire.root)
    assert received(parts.hostname or "", parts.port or 0, f"{parts.path}books") == b""
    switch_off(wire.twin)
    assert received(parts.hostname or "", parts.port or 0, parts.path).startswith(b"HTTP/1.1 401")


def test_a_truncated_body_is_half_of_what_was_promised(wire: Wire) -> None:
    switch_on(wire.twin, "truncated", {})
    parts = urlsplit(wire.root)
    token = wire.session.headers["Authorization"]
    got = received(
        parts.hostname or "",
        parts.port or 0,
        f"{parts.path}WhoAmI",
        f"Authorization: {token!s}\r\n",
    )
    head, _, body = got.partition(b"\r\n\r\n")
    promised = re.search(rb"Content-Length: (\d+)", head)
    assert promised is not None
    assert len(body) == int(promised[1]) // 2 > 100


def received(host: str, port: int, path: str, more: str = "") -> bytes:
    """Return every byte of the answer to a GET."""
    with socket.create_connection((host, port), timeout=10) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n"
        connection.sendall(head.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))
