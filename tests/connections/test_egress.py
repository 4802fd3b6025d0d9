"""The only way out, on real sockets."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from connections import egress
from connections.addresses import Address, Allowlist, Target
from connections.egress import Limits, PinnedAdapter, Session
from connections.errors import Refused, Retryable, Unreachable
from tests.fakes.server import Answer, Request, serve

LOOPBACK = Allowlist.of(["127.0.0.1"])


def make_session(limits: Limits | None = None) -> Session:
    return Session(allow=LOOPBACK, limits=limits)


def get(url: str, limits: Limits | None = None) -> egress.Reply:
    with make_session(limits) as session:
        return session.request("GET", url)


def answering(answer: Answer) -> Callable[[Request], Answer]:
    return lambda _: answer


def test_it_exchanges_bodies_and_headers() -> None:
    seen: list[Request] = []

    def handler(request: Request) -> Answer:
        seen.append(request)
        return Answer(201, "grüß".encode(), {"X-Thing": "1"})

    with serve(handler) as url, make_session() as session:
        reply = session.request("POST", f"{url}/a?b=c", headers={"X-Mine": "2"}, body=b"data")
    assert (reply.status, reply.body, reply.headers["x-thing"]) == (201, "grüß".encode(), "1")
    assert (seen[0].method, seen[0].target, seen[0].body) == ("POST", "/a?b=c", b"data")
    assert seen[0].headers["x-mine"] == "2"
    assert f"http://{seen[0].headers['host']}" == url


def test_it_refuses_loopback_unless_the_setting_names_it(settings: Settings) -> None:
    with serve(answering(Answer())) as url:
        settings.RESCO_SYNC_EGRESS_ALLOW = []
        with pytest.raises(Unreachable, match="is refused"), egress.session() as session:
            session.request("GET", url)
        settings.RESCO_SYNC_EGRESS_ALLOW = [url.removeprefix("http://")]
        with egress.session() as session:
            assert session.request("GET", url).status == 200


def test_it_dials_the_address_that_was_checked() -> None:
    """A second answer of the name server (rebinding) has nobody who asks for it."""
    asked: list[str] = []

    def look(target: Target, _: Allowlist) -> Address:
        asked.append(target.host)
        return ip_address("127.0.0.1")

    hosts: list[str] = []

    def handler(request: Request) -> Answer:
        hosts.append(request.headers["host"])
        return Answer()

    with serve(handler) as url:
        port = url.rpartition(":")[2]
        with Session(allow=LOOPBACK, look=look) as session:
            session.request("GET", f"http://rebinding.example:{port}/")
    assert asked == ["rebinding.example"]
    assert hosts == [f"rebinding.example:{port}"]


def test_it_follows_a_redirect_on_the_same_origin() -> None:
    def handler(request: Request) -> Answer:
        if request.path == "/there":
            return Answer(200, b"here")
        return Answer(302, headers={"Location": "/there"})

    with serve(handler) as url:
        reply = get(f"{url}/")
        assert reply.body == b"here"
        assert reply.url == f"{url}/there"


def test_it_does_not_follow_a_redirect_elsewhere() -> None:
    answer = Answer(302, headers={"Location": "http://169.254.169.254/latest"})
    with (
        serve(answering(answer)) as url,
        pytest.raises(Refused, match=r"gave a redirect to http://169\.254\.169\.254\."),
    ):
        get(url)


def test_it_does_not_repeat_a_post_after_a_redirect() -> None:
    with (
        serve(answering(Answer(307, headers={"Location": "/x"}))) as url,
        make_session() as session,
        pytest.raises(Refused, match="answered a POST with a red"),
    ):
        session.request("POST", url, body=b"secret")


def test_it_notices_a_circle() -> None:
    with (
        serve(answering(Answer(301, headers={"Location": "/"}))) as url,
        pytest.raises(Refused, match="redirects in a circle"),
    ):
        get(url)


def test_it_keeps_no_cookies() -> None:
    cookies: list[str | None] = []

    def handler(request: Request) -> Answer:
        cookies.append(request.headers.get("cookie"))
        return Answer(headers={"Set-Cookie": "ARRAffinity=1; Path=/"})

    with serve(handler) as url, make_session() as session:
        session.request("GET", url)
        session.request("GET", url)
    assert cookies == [None, None]


def test_it_uses_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serve(answering(Answer(200, b"direct"))) as url:
        assert get(url).body == b"direct"


def test_it_decompresses() -> None:
    answer = Answer(200, gzip.compress(b"x" * 100), {"Content-Encoding": "gzip"})
    with serve(answering(answer)) as url:
        assert get(url).body == b"x" * 100


def test_it_stops_a_decompression_bomb() -> None:
    bomb = Answer(200, gzip.compress(bytes(64 << 20)), {"Content-Encoding": "gzip"})
    with (
        serve(answering(bomb)) as url,
        pytest.raises(Refused, match="more than 4 MiB. Ask for smaller pages"),
    ):
        get(url, Limits(decompressed=4 << 20))


def test_it_stops_an_endless_body() -> None:
    with (
        serve(answering(Answer(200, bytes(8 << 20)))) as url,
        pytest.raises(Refused, match="more than 2 MiB"),
    ):
        get(url, Limits(received=2 << 20))


def test_it_stops_a_slow_body() -> None:
    ticks = iter([0.0, 700.0, 1400.0])
    with (
        serve(answering(Answer(200, b"slow"))) as url,
        Session(allow=LOOPBACK, clock=lambda: next(ticks)) as session,
        pytest.raises(Retryable, match="more than 600 seconds"),
    ):
        session.request("GET", url)


def test_it_says_that_the_answer_took_too_long() -> None:
    stop = Event()

    def handler(_: Request) -> Answer:
        stop.wait(0.5)
        return Answer()

    with serve(handler) as url, pytest.raises(Retryable, match="did not answer in time"):
        get(url, Limits(silence=0.05))


def test_a_hurried_session_does_not_wait_for_silence() -> None:
    silent = Event()

    def wait(request: Request) -> Answer:
        silent.wait(5)
        return Answer()

    with serve(wait) as url, Session(allow=LOOPBACK) as session:
        session.hurry(0.2)
        with pytest.raises(Retryable, match="did not answer in time"):
            session.request("GET", url)
        silent.set()
        with pytest.raises(Retryable, match="did not answer in time"):
            session.request("GET", url)


def test_all_exchanges_of_a_hurried_session_share_its_time() -> None:
    now = [0.0]
    answers = answering(Answer(body=b"drop"))
    with serve(answers) as url, Session(allow=LOOPBACK, clock=lambda: now[0]) as session:
        session.hurry(30)
        assert session.request("GET", url).body == b"drop"
        assert session.left() == 30
        now[0] = 30.0
        with pytest.raises(Retryable, match="did not answer in time"):
            session.request("GET", url)


def test_it_says_that_nobody_answers() -> None:
    with serve(answering(Answer())) as url:
        pass
    with pytest.raises(Unreachable, match=f"Nobody answers at {url}") as caught:
        get(f"{url}/path?password=x")
    assert caught.value.code == egress.CONNECT_FAILED
    assert "password" not in str(caught.value)


def test_it_tries_later_when_the_line_breaks() -> None:
    short = Answer(200, b"abc", {"Content-Length": "10", "Connection": "close"})
    with serve(answering(short)) as url, pytest.raises(Retryable, match="broke off"):
        get(url)


def test_it_reports_a_damaged_compression() -> None:
    with (
        serve(answering(Answer(200, b"no gzip", {"Content-Encoding": "gzip"}))) as url,
        pytest.raises(Retryable, match="broke off"),
    ):
        get(url)


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret


@pytest.mark.parametrize(("host", "good"), [("crm.example", True), ("evil.example", False)])
def test_it_proves_the_name_and_not_the_number(tmp_path: Path, host: str, good: bool) -> None:
    pem, key = make_certificate(tmp_path, "crm.example")
    server = HTTPServer(("127.0.0.1", 0), _Hello)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        with Session(allow=LOOPBACK, look=lambda *_: ip_address("127.0.0.1")) as session:
            session._http.verify = str(pem)
            url = f"https://{host}:{server.server_address[1]}/"
            if good:
                assert session.request("GET", url).body == b"ok"
            else:
                with pytest.raises(Refused, match="did not prove who it is"):
                    session.request("GET", url)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_every_scheme_goes_through_the_pinned_adapter() -> None:
    with make_session() as session:
        for scheme in ("http://a/", "https://a/", "HTTP://a/"):
            assert isinstance(session._http.get_adapter(scheme), PinnedAdapter)


@pytest.mark.parametrize("link", ["https://b/x", "http://a/x", "//b/x", "https://a:444/x"])
def test_it_never_follows_a_link_to_another_origin(link: str) -> None:
    with pytest.raises(Refused, match="gave a nextLink to .*never followed"):
        egress.followed("https://a/api", link, "nextLink")


def test_it_follows_links_on_the_same_origin() -> None:
    assert egress.followed("https://a/api/x", "y?z", "link") == "https://a/api/y?z"
    assert egress.followed("https://a/api", "https://A:443/q", "link") == "https://A:443/q"
