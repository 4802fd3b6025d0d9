"""Bulk actions and batches: what many records take, and what one bad record costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from connections.connectors.base import Batch, BatchResult, FailureKind
from connections.connectors.dynamics.connector import DynamicsConnector
from organizations.records import Action, Row
from tests.connections.connectors.place import described
from tests.connections.connectors.strict_place import StrictPlace
from tests.fakes.faulty import Faulty
from tests.fakes.server import Answer, Request, serve

NUMBER = 200
IDS = [str(UUID(int=at)) for at in range(1, NUMBER + 1)]
BAD = 77


@contextmanager
def connected(
    place: StrictPlace, *faults: str, every: int = 3
) -> Iterator[tuple[Faulty, DynamicsConnector]]:
    with serve(place.service) as upstream:
        proxy = Faulty(upstream, faults, every=every)
        with serve(proxy) as url:
            place.service.url = url
            with place.connector() as connector:
                assert isinstance(connector, DynamicsConnector)
                described(connector, "thing")
                proxy.asked.clear()
                yield proxy, connector


def make_rows(*, bad: int | None = None) -> list[Row]:
    return [(id_, "x", 99 if at == bad else 1) for at, id_ in enumerate(IDS)]


def create(connector: DynamicsConnector, rows: list[Row]) -> BatchResult:
    columns = ("thingid", "text", "choice")
    batch = Batch(action=Action.CREATE, columns=columns, rows=rows, expected=[0] * len(rows))
    return connector.write(described(connector, "thing"), batch)


def paths(proxy: Faulty) -> list[str]:
    return [item.partition("/v9.2/")[2].partition("?")[0] for item in proxy.asked]


def test_records_are_made_in_one_call_and_their_versions_read() -> None:
    place = StrictPlace()
    place.service.has_bulk = True
    with connected(place) as (proxy, connector):
        result = create(connector, make_rows())
        again = create(connector, [(str(UUID(int=900 + at)), "y", 1) for at in range(20)])
    bulk = "things/Microsoft.Dynamics.CRM.CreateMultiple"
    assert paths(proxy) == ["sdkmessagefilters", bulk, "things", bulk, "things"]
    assert (list(result.ids), result.failed, again.failed) == (IDS, {}, {})
    rows = place.organization.rows["thing"]
    assert list(result.versions) == [rows[id_]["versionnumber"] for id_ in IDS]


def test_a_bad_record_costs_only_itself_and_a_few_calls() -> None:
    place = StrictPlace()
    place.service.has_bulk = True
    with connected(place) as (proxy, connector):
        result = create(connector, make_rows(bad=BAD))
    assert list(result.failed) == [BAD]
    assert result.failed[BAD].code == "0x8004431a"
    assert "Add the choice in the organization" in result.failed[BAD].message
    assert set(place.organization.rows["thing"]) == {*IDS} - {IDS[BAD]}
    assert [kind for kind, _, _ in place.organization.writes] == ["create"] * (NUMBER - 1)
    calls = [path for path in paths(proxy) if path.endswith("CreateMultiple")]
    assert len(calls) == 9, "200, 100+100, 50+50, 25+25, 12+13"
    assert paths(proxy)[-1] == "$batch"


def test_a_bulk_call_whose_answer_is_lost_is_not_made_twice() -> None:
    place = StrictPlace()
    place.service.has_bulk = True
    with connected(place, "lost response", every=2) as (proxy, connector):
        result = create(connector, make_rows())
    assert result.failed == {}
    assert len(place.organization.writes) == NUMBER
    assert len([path for path in paths(proxy) if path.endswith("CreateMultiple")]) == 1


def test_a_bad_record_in_a_batch_costs_only_itself() -> None:
    place = StrictPlace()
    with connected(place) as (proxy, connector):
        result = create(connector, make_rows(bad=BAD))
    assert list(result.failed) == [BAD]
    assert paths(proxy) == ["sdkmessagefilters", "$batch"]
    assert len(place.organization.rows["thing"]) == NUMBER - 1


def test_without_batches_records_are_written_one_by_one() -> None:
    place = StrictPlace()

    def without_batch(request: Request) -> Answer:
        is_batch = request.path.endswith("$batch")
        return Answer(404) if is_batch else place.service(request)

    with serve(without_batch) as url:
        place.service.url = url
        with place.connector() as connector:
            assert isinstance(connector, DynamicsConnector)
            assert create(connector, make_rows()[:10]).failed == {}
    assert len(place.organization.writes) == 10


def test_a_record_that_breaks_whatever_it_is_in_stands_alone_in_the_end() -> None:
    place = StrictPlace()
    poison = IDS[BAD].encode()

    def breaking(request: Request) -> Answer:
        writes = b"POST " in request.body or request.method == "POST"
        if writes and b'"' + poison + b'"' in request.body:
            return Answer(504)
        return place.service(request)

    with serve(breaking) as url:
        place.service.url = url
        with place.connector() as connector:
            assert isinstance(connector, DynamicsConnector)
            result = create(connector, make_rows())
    assert list(result.failed) == [BAD]
    assert result.failed[BAD].kind is FailureKind.REJECTED
    assert "tried many times" in result.failed[BAD].message
    assert len(place.organization.writes) == NUMBER - 1


def test_every_write_is_marked() -> None:
    place = StrictPlace()
    with connected(place) as (proxy, connector):
        connector.mark("0f", bypass="CustomSync", is_quiet=True)
        create(connector, make_rows()[:1])
    assert proxy.asked[-1].endswith("things?$select=thingid&tag=0f")
    assert connector.marks.headers == {
        "MSCRM.BypassBusinessLogicExecution": "CustomSync",
        "MSCRM.SuppressCallbackRegistrationExpanderJob": "true",
    }


def test_only_changed_columns_are_written() -> None:
    place = StrictPlace()
    with connected(place) as (_, connector):
        version = create(connector, make_rows()[:1]).versions[0]
        place.service.requests.clear()
        batch = Batch(
            action=Action.UPDATE,
            columns=("thingid", "text", "choice"),
            rows=[(IDS[0], "new", 2)],
            expected=[version],
            changed=[frozenset({"choice"})],
        )
        assert connector.write(described(connector, "thing"), batch).failed == {}
    row = place.organization.rows["thing"][IDS[0]]
    assert (row["text"], row["choice"]) == ("x", 2)


def test_nothing_changed_is_nothing_written() -> None:
    place = StrictPlace()
    with connected(place) as (proxy, connector):
        version = create(connector, make_rows()[:1]).versions[0]
        proxy.asked.clear()
        batch = Batch(
            action=Action.UPDATE,
            columns=("thingid", "text"),
            rows=[(IDS[0], "new")],
            expected=[version],
            changed=[frozenset()],
        )
        assert connector.write(described(connector, "thing"), batch).versions == [version]
    assert proxy.asked == []
