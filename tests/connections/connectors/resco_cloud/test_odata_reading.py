"""Reading by OData: what is asked by it, and what by Fetch instead."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from pytest_django.live_server_helper import LiveServer

from connections.connectors.base import Connector
from connections.connectors.resco_cloud import odata_rows
from connections.connectors.resco_cloud.connector import RescoCloudConnector
from connections.connectors.resco_cloud.odata_filter import NotSaid, filter_of
from connections.connectors.resco_cloud.odata_reading import LONGEST
from connections.connectors.resco_cloud.shapes import Shape
from connections.errors import LoginFailed, UnknownEntity
from organizations.query.nodes import ALL, Condition, Group, Logic, Member, Operator, Query
from organizations.schema import Attribute, AttributeType, Entity
from tests.connections.connectors.place import (
    described,
    equal,
    ids_of,
    make_things,
    named,
    request,
    rows_of,
)
from tests.connections.connectors.resco_cloud.strict import StrictRescoPlace
from tests.connections.connectors.resco_place import RescoPlace
from tests.connections.connectors.sample import EVERY_TYPE, THING
from tests.fakes.server import Answer, Request, serve

FETCH, ODATA, GATE = "POST data/", "GET odata/thing", "POST data/GetMaxRowVersion"
OP = Operator


@pytest.fixture
def place() -> Iterator[StrictRescoPlace]:
    made = StrictRescoPlace(is_atomic=True)
    with serve(made.service) as url:
        made.url = url
        yield made


def asked_for(place: StrictRescoPlace, connector: Connector, *names: str, **more: Any) -> list[str]:
    """Read everything; return what was asked after the metadata."""
    wanted = request(connector, "thing", *names, **more)
    place.service.asked.clear()
    list(connector.read(wanted))
    return [item for item in place.service.asked if item != GATE]


def test_records_are_read_by_odata(place: StrictRescoPlace) -> None:
    """By Fetch only the lowest version that may not be committed is asked for."""
    make_things(place, 5)
    with place.connector() as connector:
        asked = asked_for(place, connector, "text", "whole", "parent", page_size=2)
    assert asked == [FETCH, ODATA, ODATA, ODATA]


@pytest.mark.parametrize(
    "query",
    [equal("text", "x"), Query(entity="thing")],
    ids=["text", "none"],
)
def test_a_filter_on_text_is_asked_by_fetch(place: StrictRescoPlace, query: Query) -> None:
    make_things(place, 1)
    with place.connector() as connector:
        asked = asked_for(place, connector, "text", query=query)
    assert (ODATA in asked) is (query.filter == ALL)


def test_many_ids_are_asked_by_fetch(place: StrictRescoPlace) -> None:
    ids = make_things(place, 1)
    with place.connector() as connector:
        thing = described(connector, "thing")
        place.service.asked.clear()
        connector.fetch(thing, [], ids)
        assert place.service.asked == [ODATA]
        connector.fetch(thing, [], [f"{at:08x}{ids[0][8:]}" for at in range(LONGEST // 50)])
        assert place.service.asked == [ODATA, FETCH]


def test_a_lookup_that_does_not_tell_its_entity_is_read_by_fetch_from_then_on(
    place: StrictRescoPlace,
) -> None:
    (other,) = make_things(place, 1)
    record_id = place.create("thing", {"customer": other, "customer__type": "thing"})
    with place.connector() as connector:
        assert asked_for(place, connector, "customer") == [FETCH, ODATA, FETCH]
        assert asked_for(place, connector, "customer") == [FETCH]
        assert asked_for(place, connector, "text") == [FETCH, ODATA]
        row = rows_of(connector.read(request(connector, "thing", "customer")))[record_id]
    assert row["customer__type"] == "thing"


def test_records_are_counted_by_odata(place: StrictRescoPlace) -> None:
    make_things(place, 3)
    with place.connector() as connector:
        thing = described(connector, "thing")
        place.service.asked.clear()
        assert connector.count(thing) == 3
        assert place.service.asked == [ODATA]
        assert connector.count(thing, equal("text", "nothing")) == 0
        assert place.service.asked == [ODATA, FETCH]


def test_an_odata_service_that_refuses_is_asked_once(place: StrictRescoPlace) -> None:
    ids, refused = make_things(place, 2), []

    def service(request: Request) -> Answer:
        if "/odata/" not in request.path:
            return place.service(request)
        refused.append(request.path)
        return Answer(500, b'{"error": {"code": "", "message": "Something went wrong."}}')

    with serve(service) as place.url, place.connector() as connector:
        for _ in range(2):
            assert sorted(ids_of(connector.read(request(connector, "thing")))) == sorted(ids)
    assert len(refused) == 1


def test_what_fetch_refuses_too_is_told(place: StrictRescoPlace) -> None:
    with place.connector() as connector:
        thing = described(connector, "thing")
        del place.organization.tables["thing"]
        with pytest.raises(UnknownEntity):
            connector.is_empty(thing)
        with pytest.raises(UnknownEntity):
            connector.count(thing)


def test_a_login_that_is_refused_is_not_tried_by_fetch(place: StrictRescoPlace) -> None:
    def service(request: Request) -> Answer:
        return Answer(401) if "/odata/" in request.path else place.service(request)

    with serve(service) as place.url, place.connector() as connector:
        thing = described(connector, "thing")
        for ask in (connector.is_empty, connector.count):
            with pytest.raises(LoginFailed):
                ask(thing)


def spied(connector: Connector, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the operations of the REST data service from now on."""
    assert isinstance(connector, RescoCloudConnector)
    posted, post = [], connector.client.post

    def spy(operation: str, body: bytes = b"", *, reads: bool = True) -> etree._Element:
        posted.append(operation)
        return post(operation, body, reads=reads)

    monkeypatch.setattr(connector.client, "post", spy)
    return posted


@pytest.mark.django_db(transaction=True)
def test_an_organization_of_ours_tells_everything_by_odata(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = RescoPlace(live_server.url, is_atomic=True)
    note = place.create("note", {"title": "a note"})
    values = {**EVERY_TYPE, "customer": note, "customer__type": "note"}
    record_id = place.create("thing", values)
    with place.connector() as connector:
        wanted = request(connector, "thing")
        posted = spied(connector, monkeypatch)
        row = rows_of(connector.read(wanted))[record_id]
    assert row == {"thingid": record_id, "parent": None, **values}
    assert posted == ["GetMaxRowVersion", ""]


def make_group(*members: Member, logic: Logic = Logic.AND) -> Group:
    return Group(logic, members)


@pytest.mark.parametrize(
    ("group", "text"),
    [
        (ALL, ""),
        (make_group(Condition("whole", OP.GE, (7,))), "whole ge 7"),
        (make_group(Condition("money", OP.LT, ("-1.50",))), "money lt -1.50"),
        (make_group(Condition("versionnumber", OP.GT, (12,))), "versionnumber gt 12"),
        (make_group(Condition("flag", OP.EQ, ("1",))), "flag eq true"),
        (make_group(Condition("flag", OP.NE, (False,))), "flag ne false"),
        (make_group(Condition("text", OP.NULL)), "text eq null"),
        (make_group(Condition("parent", OP.NOT_NULL)), "__parent_id ne null"),
        (make_group(Condition("parent", OP.EQ, ("a-b",))), "__parent_id eq 'a-b'"),
        (
            make_group(Condition("choice", OP.IN, (1, 2)), Condition("whole", OP.NOT_IN, (3, 4))),
            "(choice eq 1 or choice eq 2) and (whole ne 3 and whole ne 4)",
        ),
        (
            make_group(
                make_group(Condition("whole", OP.EQ, (1,)), Condition("text", OP.NULL)),
                ALL,
                logic=Logic.OR,
            ),
            None,
        ),
        (
            make_group(
                make_group(Condition("whole", OP.EQ, (1,)), Condition("text", OP.NULL)),
                make_group(Condition("whole", OP.EQ, (2,))),
                logic=Logic.OR,
            ),
            "(whole eq 1 and text eq null) or (whole eq 2)",
        ),
        (make_group(Condition("text", OP.EQ, ("x",))), None),
        (make_group(Condition("moment", OP.GT, ("2024-01-01",))), None),
        (make_group(Condition("moment", OP.TODAY)), None),
        (make_group(Condition("parent", OP.EQ_USERID)), None),
        (make_group(Condition("parent", OP.GT, ("a",))), None),
        (make_group(Condition("parent", OP.EQ, ("a' or 'a' eq 'a",))), None),
        (make_group(Condition("whole", OP.EQ, ("1 or true",))), None),
        (make_group(Condition("whole", OP.BETWEEN, (1, 2))), None),
        (make_group(Condition("flag", OP.EQ, ("maybe",))), None),
        (make_group(Condition("whole", OP.EQ, value_of="big")), None),
        (make_group(Condition("whole", OP.EQ, (1,), alias="link")), None),
        (make_group(Condition("nothing", OP.NULL)), None),
        (Group(Logic.AND, (Condition("whole", OP.EQ, (1,)),), is_negative=True), None),
    ],
)
def test_only_what_means_the_same_is_said(group: Group, text: str | None) -> None:
    if text is None:
        with pytest.raises(NotSaid):
            filter_of(THING, group)
    else:
        assert filter_of(THING, group) == text


def make_shape(*attributes: Attribute) -> Shape:
    key = Attribute(name="id", type=AttributeType.UNIQUEIDENTIFIER, is_primary_id=True)
    entity = Entity(name="thing", primary_id="id", attributes=(key, *attributes))
    return Shape.of(entity, [item.name for item in attributes])


ID = "11111111-1111-4111-8111-111111111111"


def test_a_record_that_cannot_be_read_costs_only_itself() -> None:
    shape = make_shape(named(THING, "whole"))
    good = {"id": ID.upper(), "versionnumber": "7", "whole": 1}
    found = odata_rows.decode(shape, [good, good | {"whole": "x", "versionnumber": 9}])
    assert found.rows == [(ID, 1)]
    assert (found.versions, found.last) == ([7], 9)
    assert "'x' is not a Integer value" in found.rejected[0].message


def test_decimals_and_parties_are_read() -> None:
    parties = Attribute(name="parties", type=AttributeType.PARTYLIST)
    shape = make_shape(named(THING, "decimal"), parties)
    record = {
        "id": ID,
        "versionnumber": 1,
        "decimal": Decimal("0.1"),
        "parties": [{"participationtypemask": 5, "entity": None, "party": "x@example.com"}],
    }
    found = odata_rows.decode(shape, [record])
    assert found.rows == [(ID, Decimal("0.1000"), '[[5,"","x@example.com"]]')]


@pytest.mark.parametrize(
    "record",
    [
        {"id": ID},
        {"versionnumber": 1},
        {"id": ID, "versionnumber": 1, "parties": ["account:1"]},
        {"id": ID, "versionnumber": 1, "parties": [{"party": "x"}]},
        {"id": ID, "versionnumber": 1, "__customer_id": ID},
    ],
)
def test_records_in_another_form_are_not_guessed(record: dict[str, Any]) -> None:
    parties = Attribute(name="parties", type=AttributeType.PARTYLIST)
    with pytest.raises(NotSaid):
        odata_rows.decode(make_shape(parties, named(THING, "customer")), [record])
