"""Windows-integrated authentication over HTTP, connection by connection."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding

from connections.addresses import Allowlist
from connections.connectors import ntlm
from connections.connectors.auth import DynamicsAuthentication
from connections.connectors.authority import windows_scheme
from connections.connectors.http import HttpClient
from connections.egress import Session
from connections.errors import LoginFailed, Refused
from connections.logins import Login, LoginKind
from tests.connections.connectors.test_auth import CLIENT_ID
from tests.fakes.certificates import make_certificate, make_key
from tests.fakes.server import Answer, Request, serve
from tests.fakes.windows import PASSWORD, USER, FakeWindows, served


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(allow=Allowlist.of(["127.0.0.1"])) as session:
        yield session


@pytest.fixture(autouse=True)
def users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The acceptor knows one user."""
    known = tmp_path / "users"
    known.write_text(f"CONTOSO:joe:{PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(known))


def make_client(
    url: str, session: Session, user: str = USER, password: str = PASSWORD
) -> HttpClient:
    login = Login(user, password)
    return HttpClient(session, DynamicsAuthentication(f"{url}/WhoAmI", login, session))


@pytest.mark.parametrize("schemes", [("NTLM",), ("Negotiate",), ("Negotiate", "NTLM")])
def test_it_logs_in_once_on_a_connection(session: Session, schemes: tuple[str, ...]) -> None:
    with served(FakeWindows(schemes)) as server:
        client = make_client(server.url, session)
        assert client.request("GET", f"{server.url}/accounts").body == b'{"UserId":"joe"}'
        reply = client.request("POST", f"{server.url}/accounts", body=b'{"name":"x"}')
    assert reply.status == 200
    assert server.answered == [("GET", "/accounts", b""), ("POST", "/accounts", b'{"name":"x"}')]
    assert server.handshakes == 1


def test_each_thread_has_a_connection_of_its_own(session: Session) -> None:
    together = Barrier(4)
    with served(FakeWindows(("NTLM",))) as server, ThreadPoolExecutor(4) as threads:
        client = make_client(server.url, session)

        def ask(number: int) -> int:
            together.wait(timeout=10)
            return sum(
                client.request("GET", f"{server.url}/{number}/{turn}").status for turn in range(5)
            )

        assert list(threads.map(ask, range(4))) == [1000] * 4
        session.close()
    assert server.handshakes == 4
    assert len(server.answered) == 20


def test_it_names_a_wrong_password(session: Session) -> None:
    with served(FakeWindows(("NTLM",))) as server:
        client = make_client(server.url, session, password="wrong")
        with pytest.raises(LoginFailed, match="did not accept the Windows login. Check user name"):
            client.request("GET", f"{server.url}/accounts")
    assert server.answered == []


def test_nothing_secret_is_logged(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with served(FakeWindows(("Negotiate",))) as server:
        make_client(server.url, session).request("GET", f"{server.url}/accounts")
    assert "/accounts" in caplog.text
    assert [text for text in (PASSWORD, *server.tokens) if text in caplog.text] == []


def test_it_says_what_to_install(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ntlm, "spnego", None)
    with served(FakeWindows()) as server:
        client = make_client(server.url, session)
        with pytest.raises(Refused, match=r"pip install 'resco-crm-sync\[onprem\]'"):
            client.request("GET", f"{server.url}/accounts")


@pytest.mark.parametrize(
    "login", [Login(CLIENT_ID, "secret"), Login("joe", "token", LoginKind.MICROSOFT)]
)
def test_it_takes_a_user_and_a_password_only(session: Session, login: Login) -> None:
    with served(FakeWindows()) as server:
        authentication = DynamicsAuthentication(f"{server.url}/WhoAmI", login, session)
        with pytest.raises(Refused, match=r"Enter a user name \(DOMAIN\\user\) and a password"):
            authentication.headers()


def test_it_sends_no_login_to_another_origin(session: Session) -> None:
    """A session whose connections log in still shows nothing to somebody else."""
    asked: list[Request] = []

    def other(request: Request) -> Answer:
        asked.append(request)
        return Answer(401, headers={"WWW-Authenticate": "NTLM"})

    with served(FakeWindows(("NTLM",))) as server, serve(other) as url:
        make_client(server.url, session).request("GET", f"{server.url}/accounts")
        assert session.request("GET", f"{url}/accounts").status == 401
    assert [request.headers.get("authorization") for request in asked] == [None]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("NTLM", "did not accept the Windows login"),
        ("Basic realm=x", "did not accept the Windows login"),
        ("NTLM TlRMTVNTUAACAAAA", "could not be completed. Enter the user name as DOMAIN"),
        ("NTLM TlRMTVNTU1A", "could not be completed. Enter the user name as DOMAIN"),
        ("NTLM QUJDRA==", "could not be completed. Enter the user name as DOMAIN"),
    ],
)
def test_it_takes_no_nonsense(session: Session, second: str, message: str) -> None:
    def answer(request: Request) -> Answer:
        said = second if "authorization" in request.headers else "NTLM"
        return Answer(401, b"x", {"WWW-Authenticate": said})

    with serve(answer) as url, pytest.raises(LoginFailed, match=message):
        make_client(url, session).request("GET", url)


@pytest.mark.parametrize(
    ("header", "scheme"),
    [
        ("Negotiate, NTLM", "Negotiate"),
        ("NTLM", "NTLM"),
        ('Basic realm="a, NTLM", Negotiate', "Negotiate"),
        ('Basic realm="a, NTLM"', ""),
        ("Bearer authorization_uri=https://a/oauth2/authorize, NTLM", ""),
        ("Bearer, NTLM", "NTLM"),
        ("NTLM TlRMTVNTUAACAAAA==, Negotiate", "Negotiate"),
        ("", ""),
    ],
)
def test_it_reads_what_a_server_offers(header: str, scheme: str) -> None:
    assert windows_scheme(header) == scheme


class Connection:
    """A connection whose server showed a certificate."""

    def __init__(self, certificate: bytes) -> None:
        self.sock = self
        self._certificate = certificate

    def getpeercert(self, binary_form: bool) -> bytes:
        assert binary_form
        return self._certificate


def test_it_ties_the_login_to_the_servers_certificate() -> None:
    certificate = make_certificate(make_key()).public_bytes(Encoding.DER)
    response = requests.Response()
    response.raw = SimpleNamespace(_connection=Connection(certificate))
    expected = b"tls-server-end-point:" + hashlib.sha256(certificate).digest()
    assert ntlm._bindings(response).application_data == expected
    response.raw = SimpleNamespace(_connection=Connection(b"odd"))
    odd = b"tls-server-end-point:" + hashlib.sha256(b"odd").digest()
    assert ntlm._bindings(response).application_data == odd
    response.raw = SimpleNamespace(_connection=None)
    assert ntlm._bindings(response) is None
