"""`bench push`: client changes to the twin by our push, beside plain requests one by one.

The twin answers each request 50 ms late. Both sides write the same records with the same columns
over loopback; what is plain stops after fewer, because it is slow.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import requests
from django.conf import settings
from django.db import connection as database
from django.db.models import Count

from connections import ledger
from connections.connectors.dynamics.bodies import Bodies, SetNames
from connections.connectors.dynamics.client import encoded
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.models import Connection, Endpoint
from organizations.dynamics.faults_switching import switch_on
from organizations.models import Organization, TwinFault
from organizations.query.nodes import Query
from organizations.records import Row
from organizations.schema import columns
from organizations.store import Store
from syncjobs import dispatch, runner
from syncjobs.bench import recording, serve, twin, world
from syncjobs.bench.pull import Say
from syncjobs.models import OfflineTransaction, Run

MILLISECONDS = 50
PLAIN = 300
"""Records that are written one by one."""
POISONED = 100
"""Every so many records, one is refused by the server."""


def compare(records: int, say: Say) -> dict[str, Any]:
    """Create so many records, then change each, in both ways; rates in records per second."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    login = world.make_server(0)
    with twin.served_apart() as address:
        host = address.removeprefix("http://")
        connection = _connected(host, login)
        _delay()
        plain = Plain(host, serve.token(host, login))
        found: dict[str, Any] = {"records": records, "latency, ms": MILLISECONDS}
        _load(connection, records)
        found["create"] = _told(records, _delivered(connection, records), plain.create())
        say(f"create: {found['create']}")
        _change(connection)
        found["update"] = _told(records, _delivered(connection, records), plain.update())
        say(f"update: {found['update']}")
    return found | _limits(connection)


def poison(records: int, say: Say) -> dict[str, Any]:
    """Deliver records of which one in a hundred is refused; every good one must arrive."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    login = world.make_server(0)
    with twin.served_apart() as address:
        host = address.removeprefix("http://")
        connection = _connected(host, login)
        bad = _load(connection, records, poisoned=True)
        say(f"Delivering {records:,} records, {len(bad):,} of them poisoned…")
        begun = time.perf_counter()
        _deliver(connection)
        seconds = time.perf_counter() - begun
    arrived = set(map(str, _ids(Organization.objects.get(name=world.SERVER))))
    failed = OfflineTransaction.objects.filter(status="error")
    causes = failed.values("cause", "code").annotate(count=Count("pk"))
    return {
        "records": records,
        "poisoned": len(bad),
        "arrived": len(arrived),
        "good ones missing": records - len(bad) - len(arrived - bad),
        "poisoned without a cause": len(bad) - failed.exclude(cause="", message="").count(),
        "causes": [f"{row['code']} × {row['count']}" for row in causes],
        "seconds": round(seconds, 1),
        "records/s": round(records / seconds),
    } | _limits(connection)


@dataclass(slots=True)
class Plain:
    """Writes one record per request, as a script would."""

    host: str
    token: str

    def create(self) -> float:
        """Create records; return how many in a second."""
        bodies = [encoded(body) for body in self._bodies()]
        with self._session() as session:
            begun = time.perf_counter()
            for body in bodies:
                self._checked(session.post(self._url(), data=body, timeout=60))
            return PLAIN / (time.perf_counter() - begun)

    def update(self) -> float:
        """Change one column of records, each by its version; return how many in a second."""
        with self._session() as session:
            known = session.get(f"{self._url()}?$select=bench_recordid&$top={PLAIN}", timeout=60)
            rows = known.json()["value"]
            begun = time.perf_counter()
            for number, row in enumerate(rows):
                etag = {"If-Match": row["@odata.etag"]}
                url, body = f"{self._url()}({row['bench_recordid']})", {"name": f"Plain {number}"}
                self._checked(session.patch(url, data=encoded(body), headers=etag, timeout=60))
            return len(rows) / (time.perf_counter() - begun)

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.token}"
        session.headers["Content-Type"] = "application/json"
        return session

    def _url(self) -> str:
        return f"http://{self.host}/dynamics/{world.SERVER}/api/data/v9.2/bench_records"

    def _bodies(self) -> Iterator[dict[str, Any]]:
        names = [column.name for column in columns(world.entity())]
        with DynamicsConnector(f"http://{self.host}", "", "") as near:
            bodies = Bodies(world.entity(), SetNames(near.client))
            for row in _rows(PLAIN, poisoned=False):
                values = dict(zip(names, row, strict=False))
                yield {"bench_recordid": str(uuid4()), **bodies.body(values, creating=True)}

    @staticmethod
    def _checked(answer: requests.Response) -> None:
        answer.raise_for_status()


def _connected(host: str, login: world.Login) -> Connection:
    connection = world.connect(f"http://{host}/dynamics/{world.SERVER}", login)
    recording.pull(connection)
    return connection


def _delay() -> None:
    server = Organization.objects.get(name=world.SERVER)
    usual = {"milliseconds": MILLISECONDS, "probability": 1.0}
    switch_on(server, TwinFault.Kind.LATENCY, usual)


def _load(connection: Connection, count: int, *, poisoned: bool = False) -> set[str]:
    """Let the client make records; return the ids of those that the server will refuse."""
    names = [column.name for column in columns(world.entity())]
    client = _client(connection)
    Store(client).load(
        world.ENTITY, names[: len(next(world.rows(1)))], _rows(count, poisoned=poisoned)
    )
    with database.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {world.record_id(at) for at in range(0, count, POISONED)} if poisoned else set()


def _rows(count: int, *, poisoned: bool) -> Iterator[Row]:
    """Yield rows without lookups; a poisoned one names a parent that is nowhere."""
    nowhere = str(uuid4())
    for number, row in enumerate(world.rows(count)):
        parent = nowhere if poisoned and number % POISONED == 0 else None
        yield (*row[:-3], parent, None, None)


def _change(connection: Connection) -> None:
    """Let the client's user change one column of every record."""
    client = _client(connection)
    store = Store(client)
    for item in _ids(client):
        store.update(world.ENTITY, item, {"name": f"Renamed {item}"})


def _ids(organization: Organization) -> Sequence[str]:
    store = Store(organization)
    return [str(item) for batch in store.ids(Query(entity=world.ENTITY)) for item in batch]


def _delivered(connection: Connection, records: int) -> float:
    """Deliver what waits; return records per second. Raises unless all were accepted."""
    begun = time.perf_counter()
    run = _deliver(connection)
    rate = records / (time.perf_counter() - begun)
    if run.state != Run.State.SUCCEEDED:
        raise RuntimeError(f"The run ended {run.state}: {run.message}")
    return rate


def _deliver(connection: Connection) -> Run:
    run = dispatch.start(connection, Run.Kind.DELIVER, reason="bench", inline=True)
    runner.work(run.pk)
    run.refresh_from_db()
    return run


def _client(connection: Connection) -> Organization:
    organization = connection.client.organization
    if organization is None:
        raise RuntimeError("The client is not hosted here.")
    return organization


def _told(records: int, ours: float, plain: float) -> dict[str, Any]:
    return {
        "push": f"{ours:,.0f}/s",
        "plain requests": f"{plain:,.1f}/s",
        "times faster": round(ours / plain, 1),
        "seconds": round(records / ours, 1),
    }


def _limits(connection: Connection) -> dict[str, Any]:
    hours = ledger.recent(Endpoint.objects.get(pk=connection.server.pk))
    return {
        "requests": sum(row.requests for row in hours),
        "answered 429": sum(row.throttled for row in hours),
        "waited, s": round(sum(row.waited for row in hours), 1),
    }
