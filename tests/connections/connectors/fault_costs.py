"""What each fault costs: the same work with and without it.

The work: 600 records made, changed and read in pages of 100, and 300 of them deleted. Every third
request is struck.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from connections.connectors.base import Batch, Connector
from organizations.records import Action, Row
from tests.connections.connectors.place import described, request, versions_of
from tests.connections.connectors.strict_place import StrictPlace
from tests.fakes.faulty import Faulty
from tests.fakes.server import serve

RECORDS, DELETED, PAGE = 600, 300, 100
IDS = [str(UUID(int=at)) for at in range(1, RECORDS + 1)]


@dataclass(frozen=True)
class Cost:
    """What one run took, and what it left behind."""

    requests: int
    struck: int
    waited: float
    writes: Mapping[str, int]
    """Kind of write → how many the server carried out."""
    left: Mapping[str, str]
    """Id → text, as read at the end."""


def measure(*faults: str) -> Cost:
    """Do the work while these faults strike."""
    place = StrictPlace()
    with serve(place.service) as upstream:
        proxy = Faulty(upstream, faults)
        with serve(proxy) as url:
            place.service.url = url
            with place.connector() as connector:
                left = _work(connector)
    kinds = [kind for kind, _, _ in place.organization.writes]
    writes = {kind: kinds.count(kind) for kind in ("create", "change", "delete")}
    return Cost(len(proxy.asked), len(proxy.struck), sum(place.waits), writes, left)


def _work(connector: Connector) -> dict[str, str]:
    versions = _write(connector, Action.CREATE, [(id_, "made") for id_ in IDS], [0] * RECORDS)
    versions = _write(connector, Action.UPDATE, [(id_, "changed") for id_ in IDS], versions)
    gone: list[Row] = [(id_,) for id_ in IDS[:DELETED]]
    _write(connector, Action.DELETE, gone, versions[:DELETED])
    pages = list(connector.read(request(connector, "thing", "text", page_size=PAGE)))
    assert versions_of(pages) == dict(zip(IDS[DELETED:], versions[DELETED:], strict=True))
    return {str(row[0]): str(row[1]) for page in pages for row in page.rows}


def _write(connector: Connector, action: Action, rows: list[Row], expected: list[int]) -> list[int]:
    columns = ("thingid", "text")[: len(rows[0])]
    batch = Batch(action=action, columns=columns, rows=rows, expected=expected)
    result = connector.write(described(connector, "thing"), batch)
    assert result.failed == {}
    return list(result.versions)
