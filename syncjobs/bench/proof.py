"""`bench verify`: both sides with as many records, one field of one record other on the client.

The field is changed behind the client's back, by SQL, so that no version tells. Verify reads
everything; quickly it reads ids and versions of the server, and the client in full. A run without
the difference, in one database, shows the buckets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.db.models import Sum

from connections.models import Connection, Endpoint, RequestHour
from organizations.models import Organization
from organizations.tables.database import run
from syncjobs import dispatch, runner
from syncjobs.bench import recording, world
from syncjobs.models import Difference, Run, Verification

Say = Callable[[str], None]


def measure(records: int, say: Say) -> dict[str, Any]:
    """Return calls and seconds of each way to verify; raises unless each finds the one field."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    login = world.make_server(records)
    found: dict[str, Any] = {"records": records}
    with recording.twin_server() as host:
        connection = world.connect(f"http://{host}/dynamics/{world.SERVER}", login)
        say(f"Loading {records:,} records…")
        recording.pull(connection)
        _spoil(connection, records // 2)
        for name, quick in (("full", False), ("quick", True)):
            found[name] = _verify(connection, quick=quick)
            say(f"{name}: {found[name]}")
    _beside_each_other(connection)
    found["buckets"] = _verify(connection, quick=False)
    say(f"buckets: {found['buckets']}")
    return found


def _spoil(connection: Connection, number: int) -> None:
    """Change one field of one client record, which nobody is told."""
    client = connection.client.organization
    assert client is not None  # noqa: S101 - connect() made it
    table = f'"{client.schema}"."{world.ENTITY}"'
    changed = run(
        f"UPDATE {table} SET country = 'XX' WHERE bench_recordid = %s",  # noqa: S608
        [world.record_id(number)],
    )
    if changed != 1:
        raise RuntimeError("The record to spoil is not there.")
    with database.cursor() as cursor:
        cursor.execute("ANALYZE")


def _beside_each_other(connection: Connection) -> None:
    """Let the twin be read in the database, as an organization hosted here."""
    Endpoint.objects.filter(pk=connection.server_id).update(
        backend=Endpoint.Backend.HOSTED, organization=Organization.objects.get(name=world.SERVER)
    )


def _verify(connection: Connection, *, quick: bool) -> dict[str, Any]:
    connection = Connection.objects.get(pk=connection.pk)
    before = _requests(connection)
    begun = time.perf_counter()
    started = dispatch.start_verify(connection, reason="bench", quick=quick, inline=True)
    runner.work(started.pk)
    seconds = time.perf_counter() - begun
    started.refresh_from_db()
    _check(started)
    proof = Verification.objects.get()
    return {
        "seconds": round(seconds, 2),
        "calls": _requests(connection) - before,
        "read_in_full": proof.read,
        "equal": proof.equal,
        "differences": proof.differences,
    }


def _requests(connection: Connection) -> int:
    hours = RequestHour.objects.filter(endpoint=connection.server)
    return hours.aggregate(sum=Sum("requests"))["sum"] or 0


def _check(run: Run) -> None:
    found = list(Difference.objects.values_list("fields", flat=True))
    if [field["name"] for fields in found for field in fields] != ["country"]:
        raise RuntimeError(f"The one field was not found: {run.message} {found}")
