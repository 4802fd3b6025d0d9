"""The part of the connector contract about filters and single questions."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from organizations.query.nodes import Link, Query
from organizations.records import Page
from tests.connections.connectors.place import (
    MISSING,
    Place,
    described,
    equal,
    ids_of,
    make_things,
    named,
    request,
    rows_of,
)


class FiltersContract:
    """Who is inside; which exist; how many."""

    def test_it_reads_only_what_is_inside_the_filter(self, place: Place) -> None:
        make_things(place, 4)
        inside = [place.create("thing", {"text": "in", "whole": 7}) for _ in range(3)]
        with place.connector() as connector:
            asked = request(connector, "thing", page_size=2, query=equal("whole", 7))
            pages = list(connector.read(asked))
            assert sorted(ids_of(pages)) == sorted(inside)
            assert {rows_of(pages)[record_id]["text"] for record_id in inside} == {"in"}
            place.update("thing", inside[0], {"text": "changed"})
            later = replace(asked, since=pages[-1].checkpoint)
            assert inside[0] in ids_of(connector.read(later))

    def test_it_goes_on_with_a_filter_where_another_connector_stopped(self, place: Place) -> None:
        make_things(place, 2)
        inside = [place.create("thing", {"whole": 7}) for _ in range(5)]
        asked = None
        pages: list[Page] = []
        while not pages or pages[-1].resume:
            with place.connector() as connector:
                asked = asked or request(connector, "thing", page_size=2, query=equal("whole", 7))
                resume = pages[-1].resume if pages else None
                pages.append(next(iter(connector.read(replace(asked, resume=resume)))))
        assert sorted(ids_of(pages)) == sorted(inside)

    def test_it_answers_who_is_inside_the_filter(self, place: Place) -> None:
        outside = make_things(place, 3)
        inside = [place.create("thing", {"whole": 7}) for _ in range(2)]
        query = equal("whole", 7)
        with place.connector() as connector:
            thing = described(connector, "thing")
            every = {record_id for part in connector.ids(thing) for record_id in part}
            some = {record_id for part in connector.ids(thing, query) for record_id in part}
            asked = [inside[0], outside[0], MISSING]
            assert connector.matching(thing, query, asked) == {inside[0]}
            assert connector.matching(thing, query, []) == set()
            assert (connector.count(thing), connector.count(thing, query)) == (5, 2)
        assert every == {*outside, *inside}
        assert some == set(inside)

    def test_a_record_reached_twice_through_a_link_comes_once(self, place: Place) -> None:
        if not place.can_link:
            pytest.skip("this organization does not follow links")
        parent, other = make_things(place, 2)
        for _ in range(2):
            place.create("thing", {"text": "child", "parent": parent})
        link = Link(entity="thing", from_attribute="parent", to_attribute="thingid", alias="c")
        query = Query(entity="thing", links=(link,))
        with place.connector() as connector:
            thing = described(connector, "thing")
            asked = request(connector, "thing", query=query)
            assert ids_of(connector.read(asked)) == [parent]
            assert connector.matching(thing, query, [parent, other]) == {parent}
            assert connector.count(thing, query) == 1

    def test_it_fetches_records_that_exist(self, place: Place) -> None:
        first, second, _ = make_things(place, 3)
        with place.connector() as connector:
            thing = described(connector, "thing")
            page = connector.fetch(thing, [named(thing, "text")], [first, MISSING, second, first])
        assert page.columns == ("thingid", "text")
        assert sorted(ids_of([page])) == sorted([first, second])
        assert all(version > 0 for version in page.versions)

    def test_it_fetches_many_records(self, place: Place) -> None:
        ids = make_things(place, 8)
        with place.connector() as connector:
            thing = described(connector, "thing")
            unknown = [str(uuid4()) for _ in range(700)]
            page = connector.fetch(thing, [], [*unknown, *ids])
        assert sorted(ids_of([page])) == sorted(ids)

    def test_it_knows_whether_there_is_anything(self, place: Place) -> None:
        with place.connector() as connector:
            thing = described(connector, "thing")
            assert connector.is_empty(thing)
            assert (connector.count(thing), connector.highest_version(thing)) == (0, 0)
            make_things(place, 1)
            assert not connector.is_empty(thing)
            before = connector.highest_version(thing)
            (later,) = make_things(place, 1)
            assert connector.highest_version(thing) > before
            page = connector.fetch(thing, [], [later])
            assert page.versions[0] == connector.highest_version(thing)
