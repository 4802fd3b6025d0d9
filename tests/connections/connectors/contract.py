"""What every connector must do: one class of tests, run for each of them.

A test class inherits `ConnectorContract` and gives a fixture `place`: an organization with the
metadata of `sample`, seen from behind the connector. Whatever a test does to the organization
through `place`, another user did.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from connections.connectors.base import Batch, BatchResult, Connector, FailureKind, ReadRequest
from connections.errors import CheckpointExpired, ConnectorError, MetadataChanged, UnknownEntity
from organizations.query.nodes import Condition, Group, Link, Logic, Operator, Query
from organizations.records import Action, Page, Row, Value
from organizations.schema import Attribute, AttributeType, Entity
from tests.connections.connectors.sample import EVERY_TYPE

Values = Mapping[str, Value]
MISSING = "99999999-9999-4999-8999-999999999999"


class Place(ABC):
    """An organization with the sample's metadata, and connectors to it."""

    can_link = True
    """Whether its filters may use linked entities."""

    @abstractmethod
    def connector(self) -> Connector:
        """Return a new connector, not yet opened."""

    @abstractmethod
    def create(self, entity: str, values: Values, record_id: str = "") -> str:
        """Make a record with values by column name and return its id."""

    @abstractmethod
    def update(self, entity: str, record_id: str, values: Values) -> None:
        """Change a record."""

    @abstractmethod
    def delete(self, entity: str, record_id: str) -> None:
        """Remove a record."""

    @abstractmethod
    def associate(self, thing: str, note: str) -> None:
        """Make a pair of thing and note."""

    @abstractmethod
    def disassociate(self, thing: str, note: str) -> None:
        """Remove the pair."""

    @abstractmethod
    def expire(self) -> None:
        """Forget what changed until now."""

    @abstractmethod
    def spoil(self, record_id: str) -> bool:
        """Make a thing unreadable; False where such a thing cannot exist."""

    @abstractmethod
    def unacceptable(self, record_id: str) -> Values:
        """Return values of a thing with that id that the organization will not take."""


class ConnectorContract:
    """The contract. See `connections.connectors.base`."""

    # Who, what

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

    # Reading everything

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

    # Reading changes

    def test_it_reads_what_changed_since(self, place: Place) -> None:
        kept, changed, removed = make_things(place, 3)
        with place.connector() as connector:
            first = list(connector.read(request(connector, "thing")))
            second = changes(connector, "thing", first)
            assert (ids_of(second), deleted_of(second)) == ([], set())
            place.update("thing", changed, {"text": "changed"})
            place.delete("thing", removed)
            added = place.create("thing", {"text": "added"})
            third = changes(connector, "thing", second)
            fourth = changes(connector, "thing", third)
        assert sorted(ids_of(third)) == sorted([changed, added])
        assert rows_of(third)[changed]["text"] == "changed"
        assert removed in deleted_of(third)
        assert kept not in deleted_of(third)
        assert (ids_of(fourth), deleted_of(fourth)) == ([], set())

    def test_it_reads_changes_of_an_entity_without_tracking(self, place: Place) -> None:
        notes = [place.create("note", {"title": f"note {at}"}) for at in range(3)]
        with place.connector() as connector:
            first = list(connector.read(request(connector, "note")))
            assert sorted(ids_of(first)) == sorted(notes)
            assert ids_of(changes(connector, "note", first)) == []
            place.update("note", notes[1], {"title": "changed"})
            second = changes(connector, "note", first)
            assert ids_of(second) == [notes[1]]
            assert ids_of(changes(connector, "note", second)) == []

    def test_it_misses_nothing_that_changes_while_it_reads(self, place: Place) -> None:
        make_things(place, 6)
        with place.connector() as connector:
            reading = iter(connector.read(request(connector, "thing", page_size=2)))
            first = next(reading)
            early = str(first.rows[0][0])
            place.update("thing", early, {"text": "changed behind its back"})
            added = place.create("thing", {"text": "added"})
            rest = [first, *reading]
            given = rows_of(rest)
            later = rows_of(changes(connector, "thing", rest))
        assert {**given, **later}[early]["text"] == "changed behind its back"
        assert added in {**given, **later}

    def test_it_goes_on_where_another_connector_stopped(self, place: Place) -> None:
        ids = make_things(place, 7)
        with place.connector() as connector:
            asked = request(connector, "thing", page_size=2)
            pages = [next(iter(connector.read(asked)))]
        while pages[-1].resume:
            with place.connector() as connector:
                again = replace(asked, resume=pages[-1].resume)
                pages.append(next(iter(connector.read(again))))
        assert sorted(ids_of(pages)) == sorted(ids)
        with place.connector() as connector:
            assert ids_of(changes(connector, "thing", pages)) == []

    def test_it_goes_on_with_changes_where_another_connector_stopped(self, place: Place) -> None:
        ids = make_things(place, 6)
        with place.connector() as connector:
            first = list(connector.read(request(connector, "thing")))
            for record_id in ids[:5]:
                place.update("thing", record_id, {"text": "changed"})
            place.delete("thing", ids[5])
            asked = request(connector, "thing", page_size=2, since=first[-1].checkpoint)
            pages = [next(iter(connector.read(asked)))]
        while pages[-1].resume:
            with place.connector() as connector:
                again = replace(asked, resume=pages[-1].resume)
                pages.append(next(iter(connector.read(again))))
        assert set(ids_of(pages)) == set(ids[:5])
        assert ids[5] in deleted_of(pages)

    def test_it_says_that_a_checkpoint_has_expired(self, place: Place) -> None:
        make_things(place, 1)
        with place.connector() as connector:
            first = list(connector.read(request(connector, "thing")))
            second = changes(connector, "thing", first)
            place.expire()
            with pytest.raises(CheckpointExpired):
                changes(connector, "thing", second)

    # Filters

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

    # Single questions

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

    # Writing

    def test_it_creates_records(self, place: Place) -> None:
        (parent,) = make_things(place, 1)
        note = place.create("note", {"title": "n"})
        values = {**EVERY_TYPE, "parent": parent, "customer": note, "customer__type": "note"}
        record_id = str(uuid4())
        with place.connector() as connector:
            result = write(connector, Action.CREATE, [(record_id, values)], [0])
            assert (list(result.ids), result.failed) == ([record_id], {})
            pages = list(connector.read(request(connector, "thing")))
        assert rows_of(pages)[record_id] == {"thingid": record_id, **values}
        assert versions_of(pages)[record_id] == result.versions[0]

    def test_it_updates_only_what_is_given(self, place: Place) -> None:
        record_id = place.create("thing", EVERY_TYPE)
        changed: dict[str, Value] = {"text": "new", "money": None, "choices": None, "day": None}
        with place.connector() as connector:
            version = versions_of(connector.read(request(connector, "thing")))[record_id]
            result = write(connector, Action.UPDATE, [(record_id, changed)], [version])
            assert result.failed == {}
            assert result.versions[0] > version
            pages = list(connector.read(request(connector, "thing")))
        row = rows_of(pages)[record_id]
        assert {name: row[name] for name in EVERY_TYPE} == {**EVERY_TYPE, **changed}
        assert versions_of(pages)[record_id] == result.versions[0]

    def test_it_changes_and_clears_lookups(self, place: Place) -> None:
        note = place.create("note", {"title": "n"})
        (other,) = make_things(place, 1)
        record_id = place.create("thing", {"customer": note, "customer__type": "note"})
        with place.connector() as connector:
            for target, kind in ((other, "thing"), (None, None)):
                version = versions_of(connector.read(request(connector, "thing")))[record_id]
                values = {"customer": target, "customer__type": kind}
                result = write(connector, Action.UPDATE, [(record_id, values)], [version])
                assert result.failed == {}
                row = rows_of(connector.read(request(connector, "thing")))[record_id]
                assert (row["customer"], row["customer__type"]) == (target, kind)

    def test_it_deletes_records(self, place: Place) -> None:
        kept, gone = make_things(place, 2)
        with place.connector() as connector:
            first = list(connector.read(request(connector, "thing")))
            result = write(connector, Action.DELETE, [(gone, {})], [versions_of(first)[gone]])
            assert result.failed == {}
            assert ids_of(connector.read(request(connector, "thing"))) == [kept]
            assert deleted_of(changes(connector, "thing", first)) == {gone}

    def test_it_does_not_create_what_is_there(self, place: Place) -> None:
        record_id = place.create("thing", {"text": "mine"})
        with place.connector() as connector:
            version = versions_of(connector.read(request(connector, "thing")))[record_id]
            result = write(connector, Action.CREATE, [(record_id, {"text": "theirs"})], [0])
            row = rows_of(connector.read(request(connector, "thing")))[record_id]
        assert result.failed[0].kind is FailureKind.CONFLICT
        assert result.failed[0].version == version
        assert row["text"] == "mine"

    @pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
    def test_it_never_overwrites_what_it_has_not_seen(self, place: Place, action: Action) -> None:
        record_id = place.create("thing", {"text": "old"})
        values = {"text": "mine"} if action is Action.UPDATE else {}
        with place.connector() as connector:
            version = versions_of(connector.read(request(connector, "thing")))[record_id]
            place.update("thing", record_id, {"text": "theirs"})
            result = write(connector, action, [(record_id, values)], [version])
            pages = list(connector.read(request(connector, "thing")))
        assert result.failed[0].kind is FailureKind.CONFLICT
        assert result.failed[0].version == versions_of(pages)[record_id] > version
        assert rows_of(pages)[record_id]["text"] == "theirs"

    @pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
    def test_a_record_that_is_gone_is_a_conflict_and_not_made_again(
        self, place: Place, action: Action
    ) -> None:
        record_id = place.create("thing", {"text": "old"})
        values = {"text": "mine"} if action is Action.UPDATE else {}
        with place.connector() as connector:
            version = versions_of(connector.read(request(connector, "thing")))[record_id]
            place.delete("thing", record_id)
            result = write(connector, action, [(record_id, values)], [version])
            assert ids_of(connector.read(request(connector, "thing"))) == []
        assert (result.failed[0].kind, result.failed[0].version) == (FailureKind.CONFLICT, 0)

    def test_one_rejected_record_costs_only_itself(self, place: Place) -> None:
        good, bad, last = (str(uuid4()) for _ in range(3))
        refused = place.unacceptable(bad)
        fine = dict.fromkeys(refused) | {"text": "fine"}
        rows = [(good, fine), (bad, {**fine, **refused}), (last, fine)]
        with place.connector() as connector:
            result = write(connector, Action.CREATE, rows, [0, 0, 0])
            found = ids_of(connector.read(request(connector, "thing")))
        assert list(result.failed) == [1]
        assert result.failed[1].kind is FailureKind.REJECTED
        assert result.failed[1].message
        assert sorted(found) == sorted([good, last])

    # Pairs

    def test_it_reads_pairs_and_their_end(self, place: Place) -> None:
        (thing,) = make_things(place, 1)
        note = place.create("note", {"title": "n"})
        place.associate(thing, note)
        with place.connector() as connector:
            first = list(connector.read(request(connector, "thingnote")))
            ((row_id, row),) = rows_of(first).items()
            assert (row["thingid"], row["noteid"]) == (thing, note)
            place.disassociate(thing, note)
            assert deleted_of(changes(connector, "thingnote", first)) == {row_id}

    def test_it_makes_a_pair_once(self, place: Place) -> None:
        (thing,) = make_things(place, 1)
        note = place.create("note", {"title": "n"})
        values = {"thingid": thing, "noteid": note}
        with place.connector() as connector:
            pairs = [
                write(connector, Action.CREATE, [(str(uuid4()), values)], [0], "thingnote")
                for _ in range(2)
            ]
            found = list(connector.read(request(connector, "thingnote")))
        assert [pair.failed for pair in pairs] == [{}, {}]
        assert pairs[0].ids == pairs[1].ids == ids_of(found)
        assert pairs[1].versions == [versions_of(found)[pairs[0].ids[0]]]

    def test_it_removes_a_pair(self, place: Place) -> None:
        (thing,) = make_things(place, 1)
        note = place.create("note", {"title": "n"})
        place.associate(thing, note)
        with place.connector() as connector:
            found = list(connector.read(request(connector, "thingnote")))
            ((row_id, version),) = versions_of(found).items()
            result = write(connector, Action.DELETE, [(row_id, {})], [version], "thingnote")
            assert result.failed == {}
            assert ids_of(connector.read(request(connector, "thingnote"))) == []

    def test_a_foreign_token_is_not_believed(self, place: Place) -> None:
        with place.connector() as connector, pytest.raises(ConnectorError):
            list(connector.read(request(connector, "thing", resume="nonsense")))


# Helpers


def make_things(place: Place, number: int) -> list[str]:
    return [place.create("thing", {"text": f"thing {at}"}) for at in range(number)]


def described(connector: Connector, name: str) -> Entity:
    (entity,) = connector.describe([name])
    return entity


def named(entity: Entity, name: str) -> Attribute:
    attribute = entity.attribute(name)
    assert attribute is not None, name
    return attribute


def request(connector: Connector, entity: str, *names: str, **more: Any) -> ReadRequest:
    """Ask for these attributes, or for all that are stored."""
    known = described(connector, entity)
    stored = (item for item in known.attributes if item.is_stored and item.name != "versionnumber")
    wanted = tuple(item for item in stored if not names or item.name in names)
    return ReadRequest(entity=known, attributes=wanted, **more)


def changes(connector: Connector, entity: str, pages: Sequence[Page]) -> list[Page]:
    return list(connector.read(request(connector, entity, since=pages[-1].checkpoint)))


def equal(attribute: str, value: int | str) -> Query:
    condition = Condition(attribute, Operator.EQ, (value,))
    return Query(entity="thing", filter=Group(Logic.AND, (condition,)))


def ids_of(pages: Iterable[Page]) -> list[str]:
    return [str(row[0]) for page in pages for row in page.rows]


def deleted_of(pages: Iterable[Page]) -> set[str]:
    return {record_id for page in pages for record_id in page.deleted}


def rows_of(pages: Iterable[Page]) -> dict[str, dict[str, Value]]:
    return {
        str(row[0]): dict(zip(page.columns, row, strict=True))
        for page in pages
        for row in page.rows
    }


def versions_of(pages: Iterable[Page]) -> dict[str, int]:
    return {
        str(row[0]): version
        for page in pages
        for row, version in zip(page.rows, page.versions, strict=True)
    }


def write(
    connector: Connector,
    action: Action,
    records: Sequence[tuple[str, Values]],
    expected: Sequence[int],
    entity: str = "thing",
) -> BatchResult:
    """Write records that all have values for the same columns."""
    known = described(connector, entity)
    names = tuple(records[0][1])
    rows: list[Row] = [(id_, *(values[name] for name in names)) for id_, values in records]
    columns = (known.primary_id, *names)
    batch = Batch(action=action, columns=columns, rows=rows, expected=expected)
    return connector.write(known, connector.stage(known, batch))
