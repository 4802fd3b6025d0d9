"""A thousand requests at once, by both protocols, lose nothing and mix nothing up."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from pytest_django.live_server_helper import LiveServer

from organizations.records import Action
from organizations.store import Store
from tests.connections.connectors.place import described, request, rows_of, versions_of, write
from tests.connections.connectors.resco_place import RescoPlace

AT_ONCE, RECORDS = 8, 500
IDS = [str(UUID(int=at)) for at in range(1, RECORDS + 1)]
Part = Sequence[tuple[str, int]]
"""Ids and versions."""


@pytest.fixture
def place(live_server: LiveServer) -> RescoPlace:
    return RescoPlace(live_server.url, is_atomic=True)


def changed(place: RescoPlace, part: Part) -> list[int]:
    """Change each record by a request of its own, and read each by another one."""
    with place.connector() as connector:
        thing = described(connector, "thing")
        (text,) = (item for item in thing.attributes if item.name == "text")
        rows = [(record_id, {"text": f"changed {record_id}"}) for record_id, _ in part]
        result = write(connector, Action.UPDATE, rows, [version for _, version in part])
        assert result.failed == {}
        for record_id, _ in part:
            found = rows_of([connector.fetch(thing, [text], [record_id])])
            assert found == {record_id: {"thingid": record_id, "text": f"changed {record_id}"}}
        return list(result.versions)


@pytest.mark.django_db(transaction=True)
def test_a_burst_of_a_thousand_requests(place: RescoPlace) -> None:
    Store(place.organization).load("thing", ("thingid", "text"), [(id_, "old") for id_ in IDS])
    with place.connector() as connector:
        versions = versions_of(connector.read(request(connector, "thing")))
    parts = [[(id_, versions[id_]) for id_ in IDS[at::AT_ONCE]] for at in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        given = list(pool.map(changed, [place] * AT_ONCE, parts))
    with place.connector() as connector:
        pages = list(connector.read(request(connector, "thing")))
    told = {
        record_id: version
        for part, versions_now in zip(parts, given, strict=True)
        for (record_id, _), version in zip(part, versions_now, strict=True)
    }
    assert versions_of(pages) == told
    assert len(set(told.values())) == RECORDS
    texts = {record_id: row["text"] for record_id, row in rows_of(pages).items()}
    assert texts == {id_: f"changed {id_}" for id_ in IDS}
