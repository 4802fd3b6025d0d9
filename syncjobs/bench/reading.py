"""`bench read`: a hosted organization read by others while a sync fills another one."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection as database

from connections.models import Connection
from organizations import catalog
from organizations.models import Member, Organization
from organizations.schema import columns
from organizations.store import Store
from syncjobs.bench import recording, twin, world
from syncjobs.bench.pull import Say
from syncjobs.bench.reader import PROTOCOLS, Reading, Task

READERS = (1, 8, 64)
SECONDS = 10.0
ORGANIZATION, USER = "bench-office", "reader@example.com"
SYNCED = 20_000
"""Records of the sync that goes on meanwhile, again and again."""


def measure(records: int, say: Say) -> dict[str, Any]:
    """Read all records in pages of 1,000 by each protocol; records in a second and times in ms."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    login = world.make_server(SYNCED)
    _make_office(records)
    found: dict[str, Any] = {"records": records}
    with twin.served_apart() as host:
        connection = world.connect(f"{host}/dynamics/{world.SERVER}", login)
        for protocol in PROTOCOLS:
            found[f"{protocol}, nothing else going on"] = _told(_read(host, protocol, 1))
        with _syncing(connection) as runs:
            for protocol in PROTOCOLS:
                for readers in READERS:
                    name = f"{protocol}, {readers} readers"
                    found[name] = _told(_read(host, protocol, readers))
                    say(f"{name}: {found[name]}")
    return found | {"runs meanwhile": len(runs)}


def _make_office(records: int) -> None:
    office = catalog.create_organization(ORGANIZATION, Organization.Kind.CLIENT)
    definition = world.entity()
    catalog.define(office, [definition])
    catalog.enable(office, [world.ENTITY])
    names = [column.name for column in columns(definition)]
    Store(office).load(world.ENTITY, names, world.rows(records))
    member = Member(organization=office, email=USER)
    member.set_password(world.SECRET)
    member.save()


def _read(host: str, protocol: str, readers: int) -> Reading:
    task = Task(
        host=host,
        organization=ORGANIZATION,
        entity=world.ENTITY,
        user=USER,
        password=world.SECRET,
        protocol=protocol,
        readers=readers,
        seconds=SECONDS,
    )
    command = [sys.executable, "-m", "syncjobs.bench.reader"]
    done = subprocess.run(  # noqa: S603 - our own module
        command, input=msgspec.json.encode(task), stdout=subprocess.PIPE, check=True
    )
    return msgspec.json.decode(done.stdout, type=Reading)


def _told(reading: Reading) -> dict[str, Any]:
    ordered = sorted(reading.pages)
    if not ordered:
        raise RuntimeError(f"No page was read; the answers were {sorted(set(reading.refused))}.")
    return {
        "records/s": round(len(ordered) * 1000 / SECONDS),
        "p50, ms": round(ordered[len(ordered) // 2] * 1000),
        "p95, ms": round(ordered[int(len(ordered) * 0.95)] * 1000),
        "refused": len(reading.refused),
    }


@contextmanager
def _syncing(connection: Connection) -> Iterator[list[UUID]]:
    """Let a first load of the connection go on, again and again, while the block runs."""
    going, runs = threading.Event(), list[UUID]()

    def sync() -> None:
        try:
            while not going.is_set():
                world.reset(connection)
                runs.append(recording.pull(connection).pk)
        finally:
            database.close()

    thread = threading.Thread(target=sync, name="sync")
    thread.start()
    try:
        yield runs
    finally:
        going.set()
        thread.join()
