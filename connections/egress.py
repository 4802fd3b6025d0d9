"""The only way out: one hardened HTTP session (design decision 12).

Built on requests-hardened (redirects off, time limits always). Its address filter looks at the
first address only and knows no list of allowed hosts, so the filter is ours (`addresses`); the
checked address is the one that is dialled, while TLS still proves the host's name.
Proxies, netrc and cookies are not used. A body is read under limits on time, bytes and
decompressed bytes. No error text holds a body, a header or a query string.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self
from urllib.parse import urljoin

import requests
from django.conf import settings
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase
from requests_hardened import Config, HTTPSession
from urllib3.exceptions import HTTPError, NewConnectionError, ResponseError

from connections.addresses import Address, Allowlist, Target, resolve, same_origin, target_of
from connections.errors import Refused, Retryable, Unreachable

USER_AGENT = "Resco-CRM-Sync/1"
CONNECT_FAILED = "connect"
"""Code of Unreachable when the host is known and nobody answered there."""
_CHUNK = 1 << 20
_MOST_KEPT = 64
"""Connections kept open to one host; more than any limit allows at once."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one exchange: seconds to connect, between bytes and in all; bytes of the body."""

    connect: float = 15.0
    silence: float = 150.0
    total: float = 600.0
    received: int = 160 << 20
    decompressed: int = 512 << 20
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers (any letter case), the whole body decompressed, the final URL.

    `received`: bytes of the body as they came.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    received: int = 0


class PinnedAdapter(HTTPAdapter):
    """Dials only addresses that were checked; TLS still proves the name of the host."""

    def __init__(self, allow: Allowlist, look: Callable[[Target, Allowlist], Address]) -> None:
        """`look` resolves and checks; tests give their own."""
        self._allow, self._look = allow, look
        super().__init__(pool_connections=8, pool_maxsize=_MOST_KEPT, max_retries=0)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Put the checked address in the host's place."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        target = target_of(request.url or "")
        address = self._look(target, self._allow)
        host["host"] = f"[{address}]" if address.version == 6 else str(address)
        request.headers["Host"] = str(target).partition("://")[2]
        if target.scheme == "https":
            names = {"assert_hostname": target.host, "server_hostname": target.host}
            return host, {**pool, **names}
        return host, pool


class PerThreadAdapter(BaseAdapter):
    """A pinned adapter for each thread, so that a thread finds its own connection again."""

    def __init__(self, allow: Allowlist, look: Callable[[Target, Allowlist], Address]) -> None:
        """Take what each adapter is made with."""
        super().__init__()
        self._make = partial(PinnedAdapter, allow, look)
        self._own = threading.local()
        self._all: list[PinnedAdapter] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send by the adapter of this thread."""
        adapter: PinnedAdapter | None = getattr(self._own, "adapter", None)
        if adapter is None:
            adapter = self._own.adapter = self._make()
            self._all.append(adapter)
        return adapter.send(request, **options)

    def close(self) -> None:
        """Close the connections of all threads."""
        for adapter in self._all:
            adapter.close()


class Session:
    """One HTTP session to anywhere that is allowed. Close it, or use it in a `with` block."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        allow: Allowlist | None = None,
        look: Callable[[Target, Allowlist], Address] = resolve,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without `allow` the installation's setting holds."""
        self._limits = limits or Limits()
        self._clock = clock
        self._end = math.inf
        self._authentication: AuthBase | None = None
        self._allow, self._look = allow if allow is not None else configured(), look
        self._connect_anew()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _connect_anew(self) -> None:
        # A forked process must not speak on the connections of the one it came from, nor wait
        # for locks that its threads held.
        self._process = os.getpid()
        self._http = _http_session(self._limits)
        self._http.auth = self._authentication
        kind = PerThreadAdapter if self._authentication else PinnedAdapter
        adapter = kind(self._allow, self._look)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)

    def authenticate(self, authentication: AuthBase) -> None:
        """Let every connection log in by itself (Windows-integrated authentication).

        Such a login belongs to one connection, so each thread keeps its own from now on.
        """
        self._authentication = authentication
        self._connect_anew()

    def hurry(self, seconds: float) -> None:
        """Let all exchanges from now on end within so many seconds together."""
        self._end = self._clock() + seconds

    def left(self) -> float:
        """Return how many seconds are left after `hurry`; without it, endlessly many."""
        return self._end - self._clock() if self._end < math.inf else math.inf

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """Exchange one request, following redirects of GETs on the same origin.

        Raises Unreachable (not allowed, not there), Retryable (broken off, timed out),
        Refused (certificate, limits, a redirect elsewhere). Any status is an answer.
        """
        if self._process != os.getpid():
            self._connect_anew()
        here = url
        for _ in range(self._limits.redirects + 1):
            reply = self._exchange(method, here, headers or {}, body)
            if reply.status not in _REDIRECTS:
                return reply
            here = _redirected(method, here, reply)
        raise Refused(f"{target_of(url)} redirects in a circle. Check the address.")

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        target = target_of(url)
        started = self._clock()
        try:
            with self._http.request(
                method,
                url,
                headers=dict(headers),
                data=body,
                stream=True,
                timeout=self._timeout(target),
            ) as answer:
                content = self._content(answer, target, started)
                received = answer.raw.tell()
                return Reply(answer.status_code, answer.headers, content, url, received)
        except requests.exceptions.SSLError as error:
            raise Refused(
                f"{target} did not prove who it is: its TLS certificate is not valid for "
                "this name. Check the address and the certificate."
            ) from error
        except requests.exceptions.Timeout as error:
            raise Retryable(f"{target} did not answer in time.") from error
        except requests.exceptions.InvalidURL as error:
            raise Unreachable(f"The address of {target.host[:80]} is not valid.") from error
        except requests.exceptions.ConnectionError as error:
            raise _not_connected(target, error) from error
        except (requests.exceptions.RequestException, HTTPError, OSError) as error:
            raise Retryable(f"The connection to {target} broke off.") from error

    def _timeout(self, target: Target) -> tuple[float, float]:
        left = self.left()
        if left <= 0:
            raise Retryable(f"{target} did not answer in time.")
        return min(self._limits.connect, left), min(self._limits.silence, left)

    def _content(self, answer: requests.Response, target: Target, started: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        # Whoever hurries takes what has come, so that drops of it cannot hold them up.
        read = answer.raw.read if self._end == math.inf else answer.raw.read1
        while chunk := read(_CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            self._check(target, size, answer.raw.tell(), self._clock() - started)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _check(self, target: Target, size: int, received: int, seconds: float) -> None:
        limits = self._limits
        if size > limits.decompressed or received > limits.received:
            bound = limits.decompressed if size > limits.decompressed else limits.received
            raise Refused(
                f"{target} sent an answer of more than {bound >> 20} MiB. Ask for smaller pages."
            )
        if self.left() <= 0:
            raise Retryable(f"{target} did not answer in time.")
        if seconds > limits.total:
            raise Retryable(f"{target} needed more than {limits.total:.0f} seconds to answer.")


def session(*, limits: Limits | None = None) -> Session:
    """Return a session under the installation's rules."""
    return Session(limits=limits)


def configured() -> Allowlist:
    """Return the allow-list of the settings. Raises ImproperlyConfigured naming a bad entry."""
    return Allowlist.of(getattr(settings, "RESCO_SYNC_EGRESS_ALLOW", ()) or ())


def followed(base: str, link: str, what: str = "link") -> str:
    """Return the absolute form of a link that a server gave, if it stays on the same origin.

    Raises Refused otherwise: a link elsewhere would carry our token there.
    """
    url = urljoin(base, link)
    if not same_origin(base, url):
        raise Refused(
            f"{target_of(base)} gave a {what} to {target_of(url)}. Links to another host are "
            "never followed."
        )
    return url


def _redirected(method: str, url: str, reply: Reply) -> str:
    location = reply.headers.get("Location", "")
    if not location or method not in {"GET", "HEAD"}:
        raise Refused(
            f"{target_of(url)} answered a {method} with a redirect ({reply.status}). "
            "Enter the address it redirects to."
        )
    return followed(url, location, "redirect")


def _http_session(limits: Limits) -> HTTPSession:
    config = Config(
        ip_filter_enable=False,
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(limits.connect, limits.silence),
        user_agent_override=USER_AGENT,
    )
    http = HTTPSession(config)
    http.trust_env = False
    http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    http.headers["Accept-Encoding"] = "gzip, deflate"
    return http


def _not_connected(target: Target, error: requests.exceptions.ConnectionError) -> Exception:
    cause = getattr(error.args[0], "reason", error.args[0]) if error.args else None
    if isinstance(cause, NewConnectionError):
        return Unreachable(
            f"Nobody answers at {target}. Check the address, and that the service is running.",
            code=CONNECT_FAILED,
        )
    if isinstance(cause, ResponseError):
        return Refused(f"{target} does not speak HTTP as expected.")
    return Retryable(f"The connection to {target} broke off.")
