"""Reading by row version: gate, pages, deletions, edits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connections.errors import CheckpointExpired, MetadataChanged, Refused, UnknownEntity
from organizations.errors import InvalidRequest
from organizations.query.nodes import Condition, Group, Operator, Query
from organizations.records import Value
from tests.connections.connectors.place import (
    changes,
    deleted_of,
    described,
    equal,
    ids_of,
    make_things,
    request,
    rows_of,
)
from tests.connections.connectors.resco_cloud.strict import StrictRescoPlace
from tests.fakes.resco.tables import Attribute
from tests.fakes.server import Answer, Request, serve

FETCH = "POST data/"


def test_one_request_says_that_there_is_nothing_new(place: StrictRescoPlace) -> None:
    make_things(place, 3)
    with place.connector() as connector:
        first = list(connector.read(request(connector, "thing")))
        place.service.asked.clear()
        again = changes(connector, "thing", first)
    assert place.service.asked == ["POST data/GetMaxRowVersion"]
    assert (ids_of(again), again[-1].checkpoint) == ([], first[-1].checkpoint)


def test_a_page_holds_500_records_at_most(place: StrictRescoPlace) -> None:
    ids = make_things(place, 1203)
    with place.connector() as connector:
        thing = described(connector, "thing")
        place.service.asked.clear()
        pages = list(connector.read(request(connector, "thing", "text")))
        assert [len(page.rows) for page in pages] == [500, 500, 203]
        assert ids_of(pages) == ids
        assert place.service.asked == ["POST data/GetMaxRowVersion", *[FETCH] * 3]
        assert [len(part) for part in connector.ids(thing)] == [500, 500, 203]
        assert connector.count(thing) == connector.estimate(thing) == 1203
        assert len(connector.fetch(thing, [], ids).rows) == 1203
        assert connector.matching(thing, equal("text", "thing 7"), ids) == {ids[7]}


def test_a_record_that_moves_to_a_later_page_comes_there(place: StrictRescoPlace) -> None:
    ids = make_things(place, 4)
    with place.connector() as connector:
        reading = iter(connector.read(request(connector, "thing", page_size=2)))
        pages = [next(reading)]
        place.update("thing", ids[3], {"text": "moved"})
        place.update("thing", ids[0], {"text": "changed"})
        pages += reading
        assert ids_of(pages) == [ids[0], ids[1], ids[2], ids[3], ids[0]]
        assert rows_of(pages)[ids[0]]["text"] == "changed"
        assert set(ids_of(changes(connector, "thing", pages))) == {ids[0], ids[3]}


def test_deletions_come_in_pages_of_their_own(place: StrictRescoPlace) -> None:
    gone = make_things(place, 5)
    note = place.create("note", {"title": "n"})
    with place.connector() as connector:
        first = list(connector.read(request(connector, "thing")))
        for record_id in gone:
            place.delete("thing", record_id)
        place.delete("note", note)
        asked = request(connector, "thing", page_size=2, since=first[-1].checkpoint)
        pages = [next(iter(connector.read(asked)))]
        while pages[-1].resume:
            again = replace(asked, resume=pages[-1].resume)
            pages.append(next(iter(connector.read(again))))
    assert [len(page.deleted) for page in pages] == [2, 2, 1]
    assert deleted_of(pages) == set(gone)
    assert pages[-1].checkpoint == str(place.organization.version)


def test_an_organization_may_show_no_deletions(place: StrictRescoPlace) -> None:
    del place.organization.tables["trackingdelete"]
    kept, gone = make_things(place, 2)
    with place.connector() as connector:
        first = list(connector.read(request(connector, "thing")))
        since = int(first[-1].checkpoint or 0)
        place.delete("thing", gone)
        place.update("thing", kept, {"text": "new"})
        second = changes(connector, "thing", first)
        assert (ids_of(second), deleted_of(second)) == ([kept], set())
        assert [edit.id for edit in connector.edits(["thing"], since).items] == [kept]


def test_deletions_of_another_layout_are_not_read(place: StrictRescoPlace) -> None:
    tables = place.organization.tables
    other = (Attribute("id", "UniqueIdentifier"), Attribute("versionnumber", "RowVersion"))
    tables["trackingdelete"] = replace(tables["trackingdelete"], attributes=other)
    (gone,) = make_things(place, 1)
    with place.connector() as connector:
        first = list(connector.read(request(connector, "thing")))
        place.delete("thing", gone)
        assert deleted_of(changes(connector, "thing", first)) == set()


@pytest.mark.parametrize(("told", "checkpoint"), [(-2, -3), (0, 0), (1, 0), (None, 0)])
def test_it_begins_below_what_is_still_being_written(
    place: StrictRescoPlace, told: int | None, checkpoint: int
) -> None:
    make_things(place, 3)
    now = place.organization.version

    def writing(asked: Request) -> Answer:
        answer = place.service(asked)
        said = "" if told is None else f"<MinActiveRowVersion>{now + told}</MinActiveRowVersion>"
        usual = f"<MinActiveRowVersion>{now + 1}</MinActiveRowVersion>"
        return replace(answer, body=answer.body.replace(usual.encode(), said.encode()))

    with serve(writing) as url:
        place.url = url
        with place.connector() as connector:
            pages = list(connector.read(request(connector, "thing")))
    assert pages[-1].checkpoint == str(now + checkpoint)


def test_a_restored_organization_is_noticed(place: StrictRescoPlace) -> None:
    make_things(place, 1)
    with place.connector() as connector:
        asked = request(connector, "thing", since=str(place.organization.version + 5))
        with pytest.raises(CheckpointExpired, match="it was restored, or is another one"):
            list(connector.read(asked))
        with pytest.raises(CheckpointExpired, match="is no row version"):
            list(connector.read(replace(asked, since="x")))


def test_a_refused_question_is_compared_with_the_metadata(place: StrictRescoPlace) -> None:
    like = Condition("text", Operator.LIKE, ("x",))
    query = Query(entity="thing", filter=Group(children=(like,)))
    make_things(place, 1)
    with place.connector() as connector:
        asked = request(connector, "thing", query=query)
        with pytest.raises(Refused, match="Unknown operator like") as caught:
            list(connector.read(asked))
        assert type(caught.value) is Refused
        del place.organization.tables["thing"]
        with pytest.raises(UnknownEntity):
            list(connector.read(asked))


def test_a_question_that_xml_cannot_carry_is_not_asked(place: StrictRescoPlace) -> None:
    with place.connector() as connector:
        asked = request(connector, "thing", query=equal("text", "a\x01b"))
        with pytest.raises(InvalidRequest, match="cannot be written as XML"):
            list(connector.read(asked))


@pytest.mark.parametrize(
    ("name", "says"), [("thingid", "primary id"), ("versionnumber", "version")]
)
def test_records_without_id_or_version_are_not_read(
    place: StrictRescoPlace, name: str, says: str
) -> None:
    (record_id,) = make_things(place, 1)
    with place.connector() as connector:
        asked = request(connector, "thing")

        def without(sent: Request) -> Answer:
            answer = place.service(sent)
            left = answer.body.replace(f"<{name}>".encode(), b"<x>")
            return replace(answer, body=left.replace(f"</{name}>".encode(), b"</x>"))

        with serve(without) as url:
            place.url = url
            with place.connector() as other, pytest.raises(MetadataChanged, match=says):
                list(other.read(asked))


@pytest.mark.parametrize(
    "text", ["one\r\ntwo\rthree", " a ", "<b> & \"c\" 'd'", "]]>", "tab\there", "😀 \u2028"]
)
def test_text_goes_and_comes_exactly(place: StrictRescoPlace, text: str) -> None:
    record_id = place.create("thing", {"memo": text})
    with place.connector() as connector:
        values: dict[str, Value] = rows_of(connector.read(request(connector, "thing")))[record_id]
    assert values["memo"] == text


def test_a_moment_is_found_by_what_was_modified_before_it(place: StrictRescoPlace) -> None:
    tables = place.organization.tables
    dated = (*tables["thing"].attributes, Attribute("modifiedon", "DateTime"))
    tables["thing"] = replace(tables["thing"], attributes=dated)
    moment = datetime(2024, 5, 1, 12, tzinfo=UTC)
    for hours in (-2, -1, 1):
        modified = (moment + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
        place.create("thing", {"modifiedon": modified})
    with place.connector() as connector:
        assert connector.version_at(moment) == place.organization.version - 1
        assert connector.version_at(moment - timedelta(days=1)) == 0
        assert connector.version_at(datetime.max.replace(tzinfo=UTC)) == place.organization.version
