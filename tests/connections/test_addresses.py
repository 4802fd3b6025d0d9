"""Which addresses may be talked to."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from connections.addresses import Allowlist, is_public, resolve, same_origin, target_of
from connections.errors import Retryable, Unreachable

NOTHING = Allowlist()


def make_names(monkeypatch: pytest.MonkeyPatch, **hosts: list[str]) -> None:
    """Let each host resolve to these addresses, without asking a name server."""

    def look(host: str, port: int, **_: Any) -> list[Any]:
        if host not in hosts:
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return [(0, 0, 0, "", (address, port)) for address in hosts[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",
        "https://100.100.100.200/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://192.0.0.192/",
    ],
)
def test_it_refuses_what_is_not_public(url: str) -> None:
    with pytest.raises(Unreachable, match="is not a public address"):
        resolve(target_of(url), NOTHING)


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "localtest.me"]
)
def test_it_refuses_a_public_looking_name_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """However a number is written, the resolver's answer is judged, not the text."""
    make_names(monkeypatch, **{host: ["127.0.0.1"]})
    with pytest.raises(Unreachable, match="is not a public address"):
        resolve(target_of(f"https://{host}/"), NOTHING)


def test_it_refuses_a_name_with_one_private_address_among_public_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_names(monkeypatch, mixed=["93.184.216.34", "10.0.0.1"])
    with pytest.raises(Unreachable, match=r"10\.0\.0\.1 is not a public address"):
        resolve(target_of("https://mixed/"), NOTHING)


def test_it_gives_the_first_address_when_all_are_public(monkeypatch: pytest.MonkeyPatch) -> None:
    make_names(monkeypatch, good=["93.184.216.34", "2606:4700::1111"])
    assert resolve(target_of("https://good/x?y"), NOTHING) == ip_address("93.184.216.34")


def test_it_dials_a_mapped_address_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    make_names(monkeypatch, good=["::ffff:93.184.216.34"])
    assert resolve(target_of("https://good/"), NOTHING) == ip_address("93.184.216.34")


def test_it_wants_https(monkeypatch: pytest.MonkeyPatch) -> None:
    make_names(monkeypatch, good=["93.184.216.34"])
    with pytest.raises(Unreachable, match=r"http://good is refused: only https.*EGRESS_ALLOW"):
        resolve(target_of("http://good/"), NOTHING)


@pytest.mark.parametrize(
    "entry", ["inner", "inner:8080", "10.0.0.0/8", "10.0.0.7", "INNER", "fd00::/8, 10.0.0.0/8"]
)
def test_it_allows_what_the_installation_names(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    make_names(monkeypatch, inner=["10.0.0.7"])
    allow = Allowlist.of(entry.split(","))
    assert resolve(target_of("http://inner:8080/"), allow) == ip_address("10.0.0.7")


@pytest.mark.parametrize("entry", ["outer", "inner:8081", "10.0.1.0/24", "10.0.0.8"])
def test_it_allows_nothing_else(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    make_names(monkeypatch, inner=["10.0.0.7"])
    with pytest.raises(Unreachable, match="is refused"):
        resolve(target_of("https://inner:8080/"), Allowlist.of([entry]))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("10.0.0.1/8", "not a network"),
        ("host:99999", "no valid port"),
        ("host:x", "no valid port"),
        ("ho st", "no host, host:port or network"),
        ("https://host", "no valid port|not a network"),
    ],
)
def test_it_names_a_bad_entry(entry: str, message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        Allowlist.of([entry])


@pytest.mark.parametrize(
    "url", ["", "contoso", "ftp://a/", "file:///etc/passwd", "https://", "https://[x/", "//a/"]
)
def test_it_says_what_an_address_looks_like(url: str) -> None:
    with pytest.raises(Unreachable, match="is not an address"):
        target_of(url)


def test_it_says_that_a_port_is_not_usable() -> None:
    with pytest.raises(Unreachable, match="has no usable port"):
        target_of("https://a:99999/")


def test_it_takes_no_password_in_an_address_and_does_not_repeat_it() -> None:
    with pytest.raises(Unreachable, match="Leave user name and password out") as caught:
        target_of("https://joe:pa55@a/")
    assert "pa55" not in str(caught.value)


def test_it_says_that_there_is_no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    make_names(monkeypatch)
    with pytest.raises(Unreachable, match="There is no host 'nowhere'"):
        resolve(target_of("https://nowhere/"), NOTHING)


def test_it_tries_later_when_the_name_server_is_out_of_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "getaddrinfo", look)
    with pytest.raises(Retryable, match="cannot be looked up just now"):
        resolve(target_of("https://a/"), NOTHING)


def test_it_says_that_a_host_name_is_impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(host: str, *_: Any, **__: Any) -> None:
        host.encode("idna")

    monkeypatch.setattr(socket, "getaddrinfo", look)
    with pytest.raises(Unreachable, match="cannot be a host name"):
        resolve(target_of(f"https://{'a' * 70}.example/"), NOTHING)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("https://a/x", "https://A:443/y", True),
        ("https://a./x", "https://a/", True),
        ("https://a/", "http://a/", False),
        ("https://a/", "https://a:8443/", False),
        ("https://a/", "https://a.b/", False),
    ],
)
def test_it_compares_origins(first: str, second: str, same: bool) -> None:
    assert same_origin(first, second) is same


def test_public_addresses_are_public() -> None:
    assert is_public(ip_address("93.184.216.34"))
    assert is_public(ip_address("2606:4700::1111"))
