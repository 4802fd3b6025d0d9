"""Which addresses this installation may talk to (design decision 12).

By default only public ones, by https. `settings.RESCO_SYNC_EGRESS_ALLOW` names hosts,
``host:port`` pairs and networks that may also be private, or reached by plain http. What a name
resolves to is checked as a whole: one private address among public ones refuses the name.
The list of special networks is the one requests-hardened keeps, besides Python's own.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES

from connections.errors import Retryable, Unreachable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: scheme, host in lower case, port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """Return the origin as people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


@dataclass(frozen=True, slots=True)
class Allowlist:
    """What the installation's administrator has allowed besides public https addresses."""

    hosts: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Allowlist:
        """Read the setting. Raises ImproperlyConfigured naming the entry that is none of these."""
        hosts, pairs, networks = set(), set(), []
        for entry in filter(None, (entry.strip().lower() for entry in entries)):
            if network := _network(entry):
                networks.append(network)
            elif pair := _pair(entry):
                pairs.add(pair)
            else:
                hosts.add(_plain_host(entry))
        return cls(frozenset(hosts), frozenset(pairs), tuple(networks))

    def names(self, target: Target) -> bool:
        """Return whether the host was named, with or without its port."""
        return target.host in self.hosts or (target.host, target.port) in self.pairs

    def holds(self, address: Address) -> bool:
        """Return whether the address lies in an allowed network (or is itself named)."""
        return str(address) in self.hosts or any(address in net for net in self.networks)


def target_of(url: str) -> Target:
    """Return where a URL leads. Raises Unreachable when it is not a usable http(s) address."""
    parts = _split(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise Unreachable(f"'{_shown(url)}' is not an address of the form https://host/….")
    if parts.username or parts.password:
        raise Unreachable("Leave user name and password out of the address; they have own fields.")
    try:
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except ValueError as error:
        raise Unreachable(f"'{_shown(url)}' has no usable port.") from error
    return Target(parts.scheme, host, port)


def same_origin(first: str, second: str) -> bool:
    """Return whether two URLs have scheme, host and port in common."""
    return target_of(first) == target_of(second)


def resolve(target: Target, allow: Allowlist) -> Address:
    """Return the address to connect to, after all addresses of the host were checked.

    Raises Unreachable (no such host, not allowed), Retryable (the name server is out of order).
    """
    addresses = _look_up(target)
    named = allow.names(target)
    trusted = named or all(allow.holds(address) for address in addresses)
    if target.scheme != "https" and not trusted:
        raise Unreachable(
            f"{target} is refused: only https is used. To allow plain http to this host, name "
            "it in RESCO_SYNC_EGRESS_ALLOW."
        )
    if not named:
        _refuse_inner(target, addresses, allow)
    return addresses[0]


def _refuse_inner(target: Target, addresses: Sequence[Address], allow: Allowlist) -> None:
    for address in addresses:
        if not is_public(address) and not allow.holds(address):
            raise Unreachable(
                f"{target} is refused: {address} is not a public address (loopback, private, "
                "link-local and other special networks are closed). To allow this host, name it "
                "in RESCO_SYNC_EGRESS_ALLOW."
            )


def is_public(address: Address) -> bool:
    """Return whether an address is on the public Internet."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in EXTRA_BLOCKED_NET_RANGES)


def _look_up(target: Target) -> list[Address]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise Retryable(f"The name of {target.host} cannot be looked up just now.") from error
        raise Unreachable(f"There is no host '{target.host}'. Check the address.") from error
    except UnicodeError as error:
        raise Unreachable(f"'{target.host[:80]}' cannot be a host name.") from error
    return [_unmapped(ip_address(str(item[4][0]).partition("%")[0])) for item in found]


def _unmapped(address: Address) -> Address:
    """An IPv4 address in an IPv6 coat reaches the IPv4 host: it is judged, and dialled, as that."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise Unreachable(f"'{_shown(url)}' is not an address.") from error


def _shown(url: str) -> str:
    return url.rpartition("@")[2][:120]


def _network(entry: str) -> Network | None:
    if "/" not in entry:
        return None
    try:
        return ip_network(entry)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"RESCO_SYNC_EGRESS_ALLOW: '{entry}' is not a network (10.0.0.0/8). {error}."
        ) from error


def _pair(entry: str) -> tuple[str, int] | None:
    host, separator, port = entry.rpartition(":")
    if not separator or (":" in host and not host.startswith("[")):
        return None
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ImproperlyConfigured(f"RESCO_SYNC_EGRESS_ALLOW: '{entry}' has no valid port.")
    return _plain_host(host), int(port)


def _plain_host(entry: str) -> str:
    host = entry.strip("[]").rstrip(".")
    if not host or not all(part.isalnum() or part in "-._:" for part in host):
        raise ImproperlyConfigured(
            f"RESCO_SYNC_EGRESS_ALLOW: '{entry}' is no host, host:port or network."
        )
    return host
