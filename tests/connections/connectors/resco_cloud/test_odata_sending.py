"""Changes and deletions by OData: checked by the organization itself, one request a record."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from connections.connectors.base import FailureKind, VersionCheck
from connections.errors import LoginFailed, Refused, Retryable
from organizations.records import Action
from tests.connections.connectors.place import (
    Values,
    described,
    make_things,
    request,
    versions_of,
    write,
)
from tests.connections.connectors.resco_cloud.strict import StrictRescoPlace
from tests.fakes.server import Answer, Request, serve

PATCH, DELETE = "PATCH odata/thing", "DELETE odata/thing"


@pytest.fixture
def place() -> Iterator[StrictRescoPlace]:
    made = StrictRescoPlace(is_atomic=True)
    with serve(made.service) as url:
        made.url = url
        yield made


class Meddler:
    """Passes everything on to the strict server; before a write somebody else is quicker."""

    def __init__(self, place: StrictRescoPlace, record_id: str) -> None:
        self.place, self.record_id = place, record_id

    def __call__(self, request: Request) -> Answer:
        is_write = request.method in ("PATCH", "DELETE") or b"ExecuteMultiple" in request.body
        if is_write:
            self.place.update("thing", self.record_id, {"text": "theirs"})
        return self.place.service(request)


def test_a_change_in_the_last_moment_is_a_conflict() -> None:
    place = StrictRescoPlace(is_atomic=True)
    (record_id,) = make_things(place, 1)
    with serve(Meddler(place, record_id)) as place.url, place.connector() as connector:
        assert connector.version_check is VersionCheck.ATOMIC
        version = versions_of(connector.read(request(connector, "thing")))[record_id]
        for action, values in ((Action.UPDATE, {"text": "ours"}), (Action.DELETE, {})):
            result = write(connector, action, [(record_id, values)], [version])
            assert result.failed[0].kind is FailureKind.CONFLICT
    assert place.organization.rows["thing"][record_id]["text"] == "theirs"


def test_without_it_the_last_moment_is_not_seen() -> None:
    """Why it is offered: REST has no version check, so the connector says `read-before`."""
    place = StrictRescoPlace()
    (record_id,) = make_things(place, 1)
    with serve(Meddler(place, record_id)) as place.url, place.connector() as connector:
        assert connector.version_check is VersionCheck.READ_BEFORE
        version = versions_of(connector.read(request(connector, "thing")))[record_id]
        result = write(connector, Action.UPDATE, [(record_id, {"text": "ours"})], [version])
    assert result.failed == {}
    assert place.organization.rows["thing"][record_id]["text"] == "ours"


def test_it_takes_one_request_a_record_and_a_few_more(place: StrictRescoPlace) -> None:
    ids = [str(UUID(int=at)) for at in range(1, 121)]
    for record_id in ids:
        place.create("thing", {"text": "old"}, record_id)
    with place.connector() as connector:
        thing = described(connector, "thing")
        versions = versions_of(connector.read(request(connector, "thing")))
        for action, values in ((Action.UPDATE, {"text": "new"}), (Action.DELETE, {})):
            place.service.asked.clear()
            rows = [(record_id, values) for record_id in ids]
            result = write(connector, action, rows, [versions[record_id] for record_id in ids])
            assert result.failed == {}
            versions = dict(zip(ids, result.versions, strict=True))
            asked = place.service.asked
            assert asked.count(PATCH if action is Action.UPDATE else DELETE) == len(ids)
            assert connector.requests_for(thing, action, len(ids)) == len(asked)


def test_creating_stays_a_hundred_records_a_call(place: StrictRescoPlace) -> None:
    ids = [str(UUID(int=at)) for at in range(1, 121)]
    with place.connector() as connector:
        thing = described(connector, "thing")
        place.service.asked.clear()
        write(connector, Action.CREATE, [(id_, {"text": "new"}) for id_ in ids], [0] * len(ids))
        assert place.service.asked.count("POST data/ExecuteMultiple") == 2
        assert connector.requests_for(thing, Action.CREATE, 120) == len(place.service.asked)


@pytest.mark.parametrize(
    ("answer", "error", "why"),
    [
        (Answer(401), LoginFailed, "did not accept the user name"),
        (Answer(403, b'{"error": {"code": "7", "message": "No."}}'), Refused, "status 403.*No"),
        (Answer(404, b"<html>"), Refused, "status 404"),
        (Answer(200, b"<html>"), Retryable, "cannot be read"),
        (Answer(200, b"{}"), Retryable, "cannot be read"),
        (Answer(500, b"broken"), Retryable, "not able to answer"),
    ],
)
def test_what_the_service_says_otherwise(answer: Answer, error: type[Exception], why: str) -> None:
    place = StrictRescoPlace(is_atomic=True)
    (record_id,) = make_things(place, 1)

    def respond(request: Request) -> Answer:
        return answer if "/odata/" in request.target else place.service(request)

    version = int(place.organization.rows["thing"][record_id]["versionnumber"])
    rows: list[tuple[str, Values]] = [(record_id, {"text": "new"})]
    with (
        serve(respond) as place.url,
        place.connector() as connector,
        pytest.raises(error, match=why),
    ):
        write(connector, Action.UPDATE, rows, [version])


def test_a_refusal_costs_only_its_record_and_keeps_its_words(place: StrictRescoPlace) -> None:
    good, bad = make_things(place, 2)
    with place.connector() as connector:
        versions = versions_of(connector.read(request(connector, "thing")))
        rows: list[tuple[str, Values]] = [
            (good, {"text": "fine", "choice": 1}),
            (bad, {"text": "fine", "choice": 99}),
        ]
        result = write(connector, Action.UPDATE, rows, [versions[good], versions[bad]])
    assert list(result.failed) == [1]
    assert (result.failed[1].code, result.failed[1].message) == ("103", "Invalid value for choice.")


def test_text_that_xml_cannot_carry_is_rejected_before_it_is_sent(place: StrictRescoPlace) -> None:
    (record_id,) = make_things(place, 1)
    with place.connector() as connector:
        version = versions_of(connector.read(request(connector, "thing")))[record_id]
        place.service.asked.clear()
        result = write(connector, Action.UPDATE, [(record_id, {"text": "a\x01"})], [version])
    assert "cannot carry" in result.failed[0].message
    assert PATCH not in place.service.asked
