"""The part of the connector contract about metadata and reading everything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.errors import MetadataChanged, UnknownEntity
from organizations.schema import Attribute, AttributeType
from tests.connections.connectors.place import (
    Place,
    changes,
    ids_of,
    make_things,
    named,
    request,
    rows_of,
)
from tests.connections.connectors.sample import EVERY_TYPE


class ReadingContract:
    """Who, what, and all records."""

    def test_it_says_who_and_where_it_is(self, place: Place) -> None:
        with place.connector() as connector:
            first, second = connector.identify(), connector.identify()
        assert first == second
        assert first.organization_id
        assert first.organization_name
        assert 1033 in first.languages

    def test_it_lists_entities(self, place: Place) -> None:
        with place.connector() as connector:
            known = {summary.name: summary for summary in connector.entities()}
        assert {"thing", "note", "thingnote"} <= known.keys()
        assert known["thing"].label.text(1033) == "Thing"
        assert (known["thing"].is_intersect, known["thingnote"].is_intersect) == (False, True)

    def test_it_describes_entities(self, place: Place) -> None:
        with place.connector() as connector:
            thing, pair = connector.describe(["thing", "thingnote"])
        assert (thing.primary_id, thing.primary_name, thing.set_name) == (
            "thingid",
            "text",
            "things",
        )
        kinds = {attribute.name: attribute.type for attribute in thing.attributes}
        assert kinds["thingid"] is AttributeType.UNIQUEIDENTIFIER
        assert kinds["choices"] is AttributeType.MULTISELECT
        assert kinds["customer"] is AttributeType.CUSTOMER
        assert named(thing, "customer").targets == ("thing", "note")
        assert named(thing, "money").precision == 2
        assert named(thing, "text").max_length == 100
        choice = named(thing, "choice").option_set
        assert choice is not None
        assert [option.value for option in choice.options] == [1, 2]
        assert choice.options[0].label.text() == "Option 1"
        assert pair.intersect is not None
        assert (pair.intersect.attribute1, pair.intersect.attribute2) == ("thingid", "noteid")

    def test_it_describes_nothing_it_does_not_have(self, place: Place) -> None:
        with place.connector() as connector, pytest.raises(UnknownEntity, match="'nothing'"):
            list(connector.describe(["nothing"]))

    def test_it_reads_all_records_in_pages(self, place: Place) -> None:
        ids = make_things(place, 5)
        with place.connector() as connector:
            pages = list(connector.read(request(connector, "thing", page_size=2)))
        assert sorted(ids_of(pages)) == sorted(ids)
        assert max(len(page.rows) for page in pages) == 2
        assert all(page.columns[0] == "thingid" for page in pages)
        assert all(len(page.rows) == len(page.versions) for page in pages)
        assert all(version > 0 for page in pages for version in page.versions)
        assert [page.resume is None for page in pages] == [False] * (len(pages) - 1) + [True]
        assert [page.checkpoint is None for page in pages] == [True] * (len(pages) - 1) + [False]

    def test_it_reads_an_empty_entity_and_gives_a_checkpoint(self, place: Place) -> None:
        with place.connector() as connector:
            pages = list(connector.read(request(connector, "thing")))
            assert ids_of(pages) == []
            record_id = place.create("thing", {"text": "late"})
            assert ids_of(changes(connector, "thing", pages)) == [record_id]

    def test_it_reads_every_type(self, place: Place) -> None:
        note = place.create("note", {"title": "a note"})
        other = place.create("thing", {"text": "other"})
        values = {
            **EVERY_TYPE,
            "parent": other,
            "customer": note,
            "customer__type": "note",
        }
        record_id = place.create("thing", values)
        with place.connector() as connector:
            row = rows_of(connector.read(request(connector, "thing")))[record_id]
        assert row == {"thingid": record_id, **values}
        assert {name: type(value) for name, value in row.items()} == {
            "thingid": str,
            **{name: type(value) for name, value in values.items()},
        }

    def test_it_reads_nothing_as_none(self, place: Place) -> None:
        record_id = place.create("thing", {})
        with place.connector() as connector:
            row = rows_of(connector.read(request(connector, "thing")))[record_id]
        assert set(row) == {"thingid", *EVERY_TYPE, "parent", "customer", "customer__type"}
        assert {name for name, value in row.items() if value is not None} == {"thingid"}

    def test_it_reads_only_what_is_asked_for(self, place: Place) -> None:
        make_things(place, 1)
        with place.connector() as connector:
            asked = request(connector, "thing", "customer", "whole")
            page = next(iter(connector.read(asked)))
        assert page.columns == ("thingid", "whole", "customer", "customer__type")

    def test_it_notices_an_attribute_that_is_gone(self, place: Place) -> None:
        with place.connector() as connector:
            asked = request(connector, "thing")
            gone = Attribute(name="gone", type=AttributeType.STRING)
            entity = replace(asked.entity, attributes=(*asked.entity.attributes, gone))
            with pytest.raises(MetadataChanged, match="gone"):
                list(connector.read(replace(asked, entity=entity, attributes=(gone,))))

    def test_one_unreadable_record_costs_only_itself(self, place: Place) -> None:
        good, bad = make_things(place, 2)
        if not place.spoil(bad):
            pytest.skip("this organization cannot hold an unreadable record")
        with place.connector() as connector:
            pages = list(connector.read(request(connector, "thing")))
        assert ids_of(pages) == [good]
        rejected = [item for page in pages for item in page.rejected]
        assert [item.id for item in rejected] == [bad]
        assert rejected[0].message
