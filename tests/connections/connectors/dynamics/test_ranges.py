"""Several ranges of one large entity at once, against the twin."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django.live_server_helper import LiveServer

from connections.addresses import Allowlist
from connections.connectors.base import ReadRequest
from connections.connectors.dynamics import ranges
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.connectors.dynamics.streams import Streams
from connections.connectors.dynamics.tokens import Slice
from connections.egress import Session
from connections.errors import Retryable
from organizations.models import Application, Organization
from organizations.query.nodes import Condition, Group, Operator, Query
from organizations.records import Page
from organizations.schema import Attribute, AttributeType, Entity
from organizations.store import Store
from tests.organizations.making import make_organization

pytestmark = pytest.mark.django_db(transaction=True)
T = AttributeType
START = datetime(2024, 1, 1, tzinfo=UTC)


def make_entity(*, tracked: bool = True) -> Entity:
    return Entity(
        name="visit",
        primary_id="visitid",
        primary_name="name",
        set_name="visits",
        schema_name="Visit",
        tracks_changes=tracked,
        attributes=(
            Attribute(name="visitid", type=T.UNIQUEIDENTIFIER, is_primary_id=True),
            Attribute(name="name", type=T.STRING, max_length=100, is_primary_name=True),
            Attribute(name="createdon", type=T.DATETIME),
            Attribute(name="versionnumber", type=T.BIGINT, is_creatable=False, is_updatable=False),
        ),
    )


def make_id(number: int) -> str:
    return str(UUID(int=number + 1))


def make_rows(count: int, *, skewed: bool = False) -> list[tuple[object, ...]]:
    """Visits an hour apart; if skewed, all but the first and last within two minutes."""
    rows: list[tuple[object, ...]] = []
    for number in range(count):
        apart = timedelta(seconds=number) if skewed else timedelta(hours=number)
        rows.append((make_id(number), f"visit {number % 3}", START + apart))
    if skewed:
        rows.append((make_id(count), "late", START + timedelta(days=3000)))
    rows.append((make_id(count + 1), "undated", None))
    return [(key, name, at and at.strftime("%Y-%m-%dT%H:%M:%SZ")) for key, name, at in rows]  # type: ignore[attr-defined]


class Twin:
    """An organization with visits, and a connector to it that counts threads."""

    def __init__(self, server: LiveServer, entity: Entity, rows: Sequence[tuple[object, ...]]):
        organization = make_organization(entity, kind=Organization.Kind.DYNAMICS_TWIN)
        self.entity, self.store = entity, Store(organization)
        self.store.load("visit", ["visitid", "name", "createdon"], rows)  # type: ignore[arg-type]
        application = Application(organization=organization, name="ranges")
        secret = str(uuid4())
        application.set_secret(secret)
        application.save()
        self.connector = DynamicsConnector(
            f"{server.url}/dynamics/{organization.name}/",
            str(application.pk),
            secret,
            session=Session(allow=Allowlist.of(["localhost", "127.0.0.1"])),
        )
        (self.known,) = self.connector.describe(["visit"])

    def request(self, *, page_size: int = 7, **more: object) -> ReadRequest:
        names = ("visitid", "name")
        wanted = tuple(item for item in self.known.attributes if item.name in names)
        base = ReadRequest(entity=self.known, attributes=wanted, page_size=page_size)
        return replace(base, **more)  # type: ignore[arg-type]

    def read(self, **more: Any) -> list[Page]:
        return list(self.connector.read(self.request(**more)))


@pytest.fixture(autouse=True)
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request is slow, and few records are many."""
    monkeypatch.setattr(ranges, "MANY", 20)
    monkeypatch.setattr(ranges, "SHORT", -1.0)
    monkeypatch.setattr(ranges, "SHORT_TRACKED", -1.0)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "stream"]


def ids_of(pages: Sequence[Page]) -> list[str]:
    return [str(row[0]) for page in pages for row in page.rows]


@pytest.mark.parametrize("tracked", [True, False], ids=["tracked", "by version"])
@pytest.mark.parametrize("skewed", [False, True], ids=["even", "skewed"])
def test_it_reads_every_record_once(live_server: LiveServer, tracked: bool, skewed: bool) -> None:
    rows = make_rows(100, skewed=skewed)
    twin = Twin(live_server, make_entity(tracked=tracked), rows)
    pages = twin.read()
    assert sorted(ids_of(pages)) == sorted(str(row[0]) for row in rows)
    assert any('"slices"' in str(page.resume) for page in pages)
    assert [page.checkpoint is not None for page in pages] == [False] * (len(pages) - 1) + [True]


def test_it_reads_through_a_filter(live_server: LiveServer) -> None:
    twin = Twin(live_server, make_entity(), make_rows(90))
    named = Condition("name", Operator.EQ, ("visit 1",))
    pages = twin.read(query=Query(entity="visit", filter=Group(children=(named,))))
    assert sorted(ids_of(pages)) == [make_id(number) for number in range(1, 90, 3)]
    assert any('"slices"' in str(page.resume) for page in pages)


@pytest.mark.parametrize("tracked", [True, False], ids=["tracked", "by version"])
def test_it_misses_nothing_that_changes_meanwhile(live_server: LiveServer, tracked: bool) -> None:
    twin = Twin(live_server, make_entity(tracked=tracked), make_rows(100))
    reading = twin.connector.read(twin.request())
    pages = []
    for page in reading:
        pages.append(page)
        if page.rows and len(pages) % 3 == 0:
            number = len(pages)
            twin.store.update("visit", make_id(number), {"name": f"changed {number}"})
            twin.store.create("visit", {"name": f"new {number}"})
    known = {str(row[0]): row[1] for page in pages for row in page.rows}
    for page in twin.read(since=pages[-1].checkpoint):
        known.update({str(row[0]): row[1] for row in page.rows})
    there = {str(row[0]): row[1] for page in twin.read(page_size=500) for row in page.rows}
    assert known == there


@pytest.mark.parametrize("stop", [3, 20, 22, 25])
def test_it_goes_on_where_it_was_interrupted(live_server: LiveServer, stop: int) -> None:
    rows = make_rows(100)
    twin = Twin(live_server, make_entity(), rows)
    reading = twin.connector.read(twin.request())
    first = [next(reading) for _ in range(stop)]
    reading.close()  # type: ignore[attr-defined]
    rest = twin.read(resume=first[-1].resume)
    assert set(ids_of(first)) | set(ids_of(rest)) == {str(row[0]) for row in rows}
    assert len(ids_of(rest)) < len(rows) + 1 - len(ids_of(first)) + 30


def test_a_small_entity_has_one_stream(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "MANY", 1000)
    twin = Twin(live_server, make_entity(), make_rows(30))
    pages = twin.read()
    assert not any('"slices"' in str(page.resume) for page in pages)


@pytest.mark.parametrize("tracked", [True, False], ids=["tracked", "by version"])
def test_a_server_nearby_has_one_stream(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, tracked: bool
) -> None:
    monkeypatch.setattr(ranges, "SHORT_TRACKED" if tracked else "SHORT", 60.0)
    twin = Twin(live_server, make_entity(tracked=tracked), make_rows(30))
    assert not any('"slices"' in str(page.resume) for page in twin.read())


def test_an_error_of_one_stream_ends_all() -> None:
    def ask(part: Slice) -> tuple[bytes, Slice | None]:
        if part.low == "b":
            raise Retryable("The connection broke off.")
        return b"{}", part

    streams = Streams(ask, [Slice(low="a"), Slice(low="b")], 2)
    with pytest.raises(Retryable, match="broke off"):
        for _ in streams:
            pass
    streams.close()


def test_a_stream_without_work_takes_half_of_anothers() -> None:
    def ask(part: Slice) -> tuple[bytes, Slice | None]:
        low = datetime.fromisoformat(part.low)
        body = f'{{"createdon":"{part.low}"}},{{"createdon":"{(low + timedelta(seconds=9))}"}}'
        end = datetime.fromisoformat(part.ends)
        later = replace_low(part, low + timedelta(seconds=9))
        return body.encode(), later if low + timedelta(seconds=9) < end else None

    def replace_low(part: Slice, low: datetime) -> Slice:
        return ranges.at(part, low=low.isoformat())

    whole = Slice(low="2024-01-01T00:00:00+00:00", ends="2024-01-01T01:00:00+00:00")
    streams = Streams(ask, [whole], 3)
    cut = [got.is_cut for got in streams]
    streams.close()
    assert any(cut)
