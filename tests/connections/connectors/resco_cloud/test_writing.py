"""What is sent for a batch, and what its answers mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from connections.connectors.base import Batch, BatchResult, Connector, FailureKind
from connections.errors import Retryable
from organizations.records import Action, Row, Value
from tests.connections.connectors.place import (
    Values,
    described,
    make_things,
    request,
    versions_of,
    write,
)
from tests.connections.connectors.resco_cloud.strict import StrictRescoPlace
from tests.fakes.resco.records import FaultError
from tests.fakes.resco.records import Row as Texts
from tests.fakes.server import Answer, Request, serve

EXECUTE = "POST data/ExecuteMultiple"


def ids_for(count: int) -> list[str]:
    return [str(UUID(int=at)) for at in range(1, count + 1)]


def create(connector: Connector, ids: list[str], **values: Value) -> BatchResult:
    return write(connector, Action.CREATE, [(id_, values) for id_ in ids], [0] * len(ids))


def task(place: StrictRescoPlace, record_id: str) -> Texts:
    return place.organization.rows["task"][record_id]


def test_it_writes_a_hundred_records_a_call(place: StrictRescoPlace) -> None:
    ids = ids_for(250)
    with place.connector() as connector:
        thing = described(connector, "thing")
        place.service.asked.clear()
        result = create(connector, ids, text="made")
        asked = list(place.service.asked)
        assert (list(result.ids), result.failed) == (ids, {})
        assert asked.count(EXECUTE) == 3
        assert connector.requests_for(thing, Action.CREATE, 250) == len(asked) == 9
        assert versions_of(connector.read(request(connector, "thing"))) == dict(
            zip(ids, result.versions, strict=True)
        )


def test_the_state_is_said_by_the_status(place: StrictRescoPlace) -> None:
    both, alone, default = (place.create("task", {"name": "t"}) for _ in range(3))
    place.update("task", default, {"statuscode": "5"})
    rows: list[tuple[str, Values]] = [
        (both, {"statecode": 0, "statuscode": 3}),
        (alone, {"statecode": 1, "statuscode": None}),
    ]
    with place.connector() as connector:
        tasks = described(connector, "task")
        expected = versions_of([connector.fetch(tasks, [], [both, alone, default])])
        for record_id, values in rows:
            result = write(
                connector, Action.UPDATE, [(record_id, values)], [expected[record_id]], "task"
            )
            assert result.failed == {}
        only: list[tuple[str, Values]] = [(default, {"statecode": 0})]
        assert write(connector, Action.UPDATE, only, [expected[default]], "task").failed == {}
    found = [(task(place, i)["statecode"], task(place, i)["statuscode"]) for i in (both, alone)]
    assert found == [("0", "3"), ("1", "5")]
    assert task(place, default)["statuscode"] == "2"


def test_parties_are_sent_and_read(place: StrictRescoPlace) -> None:
    record_id, contact = str(uuid4()), str(uuid4())
    parties = f'[[5,"","someone@example.com"],[5,"contact","{contact}"]]'
    with place.connector() as connector:
        values: dict[str, Value] = {"name": "Meeting", "requiredattendees": parties}
        result = write(connector, Action.CREATE, [(record_id, values)], [0], "task")
        assert result.failed == {}
        sent = task(place, record_id)["requiredattendees"]
        assert sent == [("", "someone@example.com"), (f"contact:{contact}", "")]
        asked = request(connector, "task", "requiredattendees")
        (page,) = connector.read(asked)
    assert page.rows == [(record_id, parties)]


def test_it_writes_only_what_changed(place: StrictRescoPlace) -> None:
    (record_id,) = make_things(place, 1)
    with place.connector() as connector:
        thing = described(connector, "thing")
        (version,) = connector.fetch(thing, [], [record_id]).versions
        row: Row = (record_id, "new", 7)
        batch = Batch(
            action=Action.UPDATE,
            columns=("thingid", "text", "whole"),
            rows=[row],
            expected=[version],
            changed=[frozenset({"text"})],
        )
        assert connector.write(thing, batch).failed == {}
    stored = place.organization.rows["thing"][record_id]
    assert (stored["text"], stored.get("whole")) == ("new", None)


def test_text_that_xml_cannot_carry_costs_only_its_record(place: StrictRescoPlace) -> None:
    good, bad = ids_for(2)
    with place.connector() as connector:
        rows: list[tuple[str, Values]] = [(good, {"text": "a"}), (bad, {"text": "b\x01"})]
        result = write(connector, Action.CREATE, rows, [0, 0])
    assert list(result.failed) == [1]
    assert result.failed[1].code == "invalid-value"
    assert "character that XML cannot carry" in result.failed[1].message
    assert list(place.organization.rows["thing"]) == [good]


def test_it_says_why_a_record_was_not_taken(place: StrictRescoPlace) -> None:
    with place.connector() as connector:
        result = create(connector, ids_for(1), choice=99)
    failure = result.failed[0]
    assert (failure.kind, failure.code) == (FailureKind.REJECTED, "103")
    assert failure.message == "Invalid value for choice."


@dataclass
class Meddling:
    """Passes requests on; before writes, and for their answers, it does as it is told."""

    place: StrictRescoPlace
    before: list[object] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def __call__(self, asked: Request) -> Answer:
        if asked.path.endswith("ExecuteMultiple"):
            while self.before:
                action = self.before.pop()
                assert callable(action)
                action()
            if self.answers:
                return self.answers.pop(0)
        return self.place.service(asked)


def test_a_record_that_went_between_look_and_write_is_a_conflict(place: StrictRescoPlace) -> None:
    (record_id,) = make_things(place, 1)
    meddling = Meddling(place, before=[lambda: place.delete("thing", record_id)])
    with serve(meddling) as url:
        place.url = url
        with place.connector() as connector:
            thing = described(connector, "thing")
            (version,) = connector.fetch(thing, [], [record_id]).versions
            rows: list[tuple[str, Values]] = [(record_id, {"text": "mine"})]
            result = write(connector, Action.UPDATE, rows, [version])
    assert (result.failed[0].kind, result.failed[0].version) == (FailureKind.CONFLICT, 0)
    assert place.organization.rows["thing"] == {}


def test_a_create_that_somebody_was_faster_with_is_a_conflict(place: StrictRescoPlace) -> None:
    (record_id,) = ids_for(1)
    meddling = Meddling(
        place, before=[lambda: place.create("thing", {"text": "theirs"}, record_id)]
    )
    with serve(meddling) as url:
        place.url = url
        with place.connector() as connector:
            result = create(connector, [record_id], text="mine")
    assert result.failed[0].kind is FailureKind.CONFLICT
    assert result.failed[0].version == place.organization.version
    assert place.organization.rows["thing"][record_id]["text"] == "theirs"


_LOCKED = (
    b"<R><Response><Fault><Code>9</Code><Reason>Deadlock victim</Reason></Fault></Response></R>"
)


@pytest.mark.parametrize("body", [_LOCKED, b"<R></R>"])
def test_a_record_that_was_not_answered_for_is_sent_again(
    place: StrictRescoPlace, body: bytes
) -> None:
    meddling = Meddling(place, answers=[Answer(200, body)])
    with serve(meddling) as url:
        place.url = url
        with place.connector() as connector:
            result = create(connector, ids_for(3), text="made")
    assert result.failed == {}
    assert len(place.organization.rows["thing"]) == len(place.organization.writes) == 3


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
def test_what_was_done_without_being_answered_for_is_recognised(
    place: StrictRescoPlace, action: Action
) -> None:
    ids = make_things(place, 2) if action is not Action.CREATE else ids_for(2)

    def unanswered(asked: Request) -> Answer:
        answer = place.service(asked)
        return Answer(200, b"<R></R>") if asked.path.endswith("ExecuteMultiple") else answer

    with serve(unanswered) as url:
        place.url = url
        with place.connector() as connector:
            known = versions_of([connector.fetch(described(connector, "thing"), [], ids)])
            values: dict[str, Value] = {} if action is Action.DELETE else {"text": "mine"}
            expected = [known.get(record_id, 0) for record_id in ids]
            result = write(connector, action, [(id_, values) for id_ in ids], expected)
    assert result.failed == {}
    assert len(place.organization.writes) == 2


def test_patience_ends(place: StrictRescoPlace) -> None:
    meddling = Meddling(place, answers=[Answer(200, _LOCKED)] * 10)
    with serve(meddling) as url:
        place.url = url
        with place.connector() as connector, pytest.raises(Retryable, match="Deadlock victim"):
            create(connector, ids_for(1), text="made")
    assert place.organization.writes == []


def test_a_pair_is_written_by_its_lookups(place: StrictRescoPlace) -> None:
    (thing,) = make_things(place, 1)
    note = place.create("note", {"title": "n"})
    values: dict[str, Value] = {"thingid": thing, "noteid": note}
    with place.connector() as connector:
        result = write(connector, Action.CREATE, [(str(uuid4()), values)], [0], "thingnote")
    (row,) = place.organization.rows["thingnote"].values()
    assert (row["thingid"], row["noteid"]) == (f"thing:{thing}", f"note:{note}")
    assert (list(result.ids), list(result.versions)) == (
        [row["thingnoteid"]],
        [int(row["versionnumber"])],
    )


def test_the_strict_server_refuses_what_is_not_documented(place: StrictRescoPlace) -> None:
    with pytest.raises(FaultError):
        place.create("thing", {"whole": "no number"})
