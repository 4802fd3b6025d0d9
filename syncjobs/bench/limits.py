"""A first load from a twin whose limits are scaled down until they bind.

The twin does not track changes, so that several ranges are read at once and the limits bind even
where a page takes long. Every request that reaches the twin is written down outside of it, as the
network would see it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from threading import Lock, Thread
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections

from connections import ledger
from connections.models import Connection
from organizations.models import Organization, TwinLimits
from syncjobs.bench import recording, world
from syncjobs.bench.quiet import Quiet

REQUESTS, WINDOW, PAGE, AT_ONCE = 600, 30, 100, 8
_API = "/api/data/"
_ON_THE_WAY = 0.1
"""Seconds after a refusal in which what was under way may still arrive."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request: when it came and was answered, status, seconds it was told to wait."""

    came: float
    answered: float
    status: int
    after: float


@dataclass(slots=True)
class Watch:
    """A WSGI application in front of another that writes down what passes."""

    application: Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
    seen: list[Seen] = field(default_factory=list)
    lock: Any = field(default_factory=Lock)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass a request on."""
        came = time.monotonic()

        def started(status: str, headers: Sequence[tuple[str, str]], *rest: Any) -> Any:
            if _API in str(environ["PATH_INFO"]):
                after = float(dict(headers).get("Retry-After", "0"))
                with self.lock:
                    self.seen.append(Seen(came, time.monotonic(), int(status[:3]), after))
            return start_response(status, headers, *rest)

        try:
            return list(self.application(environ, started))
        finally:
            connections.close_all()  # each request has a thread, and so a connection, of its own


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def watched_server() -> Iterator[tuple[str, Watch]]:
    """Serve this installation, each request in a thread; gives its URL and what it sees."""
    watch = Watch(get_wsgi_application())
    server: WSGIServer = make_server(
        "127.0.0.1", 0, watch, server_class=_Threaded, handler_class=Quiet
    )
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", watch
    finally:
        server.shutdown()


def compare(records: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Return how much of the allowance a first load used, and how often it was refused."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    login = world.make_server(records, tracked=False)
    TwinLimits.objects.create(
        organization=Organization.objects.get(name=world.SERVER),
        requests=REQUESTS,
        window_seconds=WINDOW,
        concurrent=AT_ONCE,
        page_size=PAGE,
    )
    with watched_server() as (url, watch):
        connection = world.connect(f"{url}/dynamics/{world.SERVER}", login)
        time.sleep(WINDOW)
        watch.seen.clear()
        pages = -(-records // PAGE)
        say(f"Reading {records:,} records in {pages:,} pages, {REQUESTS} requests in {WINDOW} s…")
        begun = time.monotonic()
        recording.pull(connection)
        seconds = time.monotonic() - begun
        found = figures(sorted(watch.seen, key=lambda seen: seen.came))
    return {"records": records, "seconds": round(seconds, 1)} | found | _booked(connection)


def figures(seen: Sequence[Seen]) -> dict[str, Any]:
    """Return the figures of requests ordered by when they came."""
    first, last = seen[0].came, seen[-1].came
    accepted = [one for one in seen if one.status != 429]
    refused = [one for one in seen if one.status == 429]
    later = [one for one in seen if one.came >= first + WINDOW]
    refused_later = [one for one in later if one.status == 429]
    # The allowance of the time it took: a whole window at once, then as much as leaves it.
    allowed = REQUESTS * (1 + max(0.0, last - first - WINDOW) / WINDOW)
    return {
        "requests": len(seen),
        "used of the allowance, %": round(100 * len(accepted) / allowed, 1),
        "answered 429 in the first window": len(refused) - len(refused_later),
        "answered 429 later": len(refused_later),
        "answered 429 later, %": round(100 * len(refused_later) / max(1, len(later)), 2),
        "most at once": _most_at_once(accepted),
        "came while told to wait": _impatient(seen, refused),
    }


def _most_at_once(seen: Sequence[Seen]) -> int:
    moments = sorted([(one.came, 1) for one in seen] + [(one.answered, -1) for one in seen])
    most = now = 0
    for _, change in moments:
        now += change
        most = max(most, now)
    return most


def _impatient(seen: Sequence[Seen], refused: Sequence[Seen]) -> int:
    """Count requests that came during a pause, other than those under way when it began."""
    return sum(
        any(no.answered + _ON_THE_WAY < one.came < no.answered + no.after for no in refused)
        for one in seen
    )


def _booked(connection: Connection) -> dict[str, Any]:
    hours = ledger.recent(connection.server)
    return {
        "ledger": {
            "requests": sum(row.requests for row in hours),
            "throttled": sum(row.throttled for row in hours),
            "waited, s": round(sum(row.waited for row in hours), 1),
            "received, MB": round(sum(row.received for row in hours) / 1e6, 1),
        }
    }
