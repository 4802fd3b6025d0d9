"""How the Dynamics connector takes the errors and links a real organization may send."""

from __future__ import annotations

import pytest

from connections.connectors.dynamics.client import api_root
from connections.errors import (
    CheckpointExpired,
    LoginFailed,
    MetadataChanged,
    Refused,
    Retryable,
    Unreachable,
)
from tests.connections.connectors.dynamics.making import (
    LOW,
    ids_of,
    make_account,
    make_page,
    make_row,
    read,
)
from tests.fakes.dataverse import connected, failed, told
from tests.fakes.server import Answer


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("https://contoso.crm4.dynamics.com", "https://contoso.crm4.dynamics.com/api/data/v9.2/"),
        ("https://a/ORG/", "https://a/ORG/api/data/v9.2/"),
        (" https://a/dynamics/x/api/data/v9.1 ", "https://a/dynamics/x/api/data/v9.2/"),
    ],
)
def test_it_finds_the_api(given: str, root: str) -> None:
    assert api_root(given) == root


def test_it_wants_a_plain_address() -> None:
    with pytest.raises(Unreachable, match=r"without '\?' and '#'"):
        api_root("https://a/?x=1")


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (failed("0x80072560", status=403), LoginFailed, "not a member of this organization"),
        (failed("0x80040220", status=403), Refused, "denies it: It said why"),
        (failed("0x80044352"), CheckpointExpired, "no longer knows what changed"),
        (failed("0x8006088a", status=404), MetadataChanged, "Run Update Server"),
        (failed("0x0", "Could not find a property named 'x' on"), MetadataChanged, "property"),
        (failed("0x80040203"), Refused, r"\(status 400, 0x80040203\): It said why"),
        (failed("", status=500), Retryable, "failed with status 500"),
        (Answer(502, b"<html>gateway</html>"), Retryable, "not able to answer just now"),
        (Answer(200, b"<html>a portal</html>"), Retryable, "not JSON"),
        (told({"Message": "gateway"}, 400), Refused, r"\(status 400\)"),
    ],
)
def test_each_error_has_its_meaning(answer: Answer, kind: type[Exception], message: str) -> None:
    entity = make_account(tracked=False)
    with (
        connected({"GET accounts": [LOW, answer]}) as (_, connector),
        pytest.raises(kind, match=message),
    ):
        read(connector, entity)


def test_it_waits_through_too_many_requests_and_deadlocks() -> None:
    entity, waits = make_account(tracked=False), list[float]()
    busy = Answer(429, b'{"error":{"code":"0x80072322"}}', {"Retry-After": "9"})
    deadlock = failed("0x80044150", "Sql Number: 1205", status=500)
    answers = {"GET accounts": [LOW, busy, deadlock, make_page(make_row(1, 5))]}
    with connected(answers, waits) as (_, connector):
        assert ids_of(read(connector, entity)) == ["1"]
    assert waits == [9.0, 1.0]


def test_it_asks_again_when_json_breaks_off() -> None:
    entity, waits = make_account(tracked=False), list[float]()
    broken = Answer(200, b'{"value":[{"accountid":"', {"Content-Type": "application/json"})
    answers = {"GET accounts": [LOW, broken, make_page(make_row(1, 5))]}
    with connected(answers, waits) as (_, connector):
        assert ids_of(read(connector, entity)) == ["1"]
    assert len(waits) == 1


def test_it_says_that_json_broke_off_again_and_again() -> None:
    broken = Answer(200, b'{"value":[', {"Content-Type": "application/json"})
    with (
        connected({"GET accounts": [broken]}, []) as (_, connector),
        pytest.raises(Retryable, match="broke off its answer just now"),
    ):
        read(connector, make_account(tracked=False))


def test_it_never_follows_a_next_link_elsewhere() -> None:
    entity = make_account()
    page = make_page(make_row(1, 5), nextLink="https://evil.example/api/data/v9.2/accounts?x")
    with (
        connected({"GET accounts": [LOW, page]}) as (_, connector),
        pytest.raises(Refused, match=r"gave a nextLink to https://evil\.example"),
    ):
        read(connector, entity)


def test_it_follows_no_resume_or_checkpoint_elsewhere() -> None:
    entity = make_account()
    with connected({}) as (fake, connector):
        for text in (
            '{"phase":"rows","goal":{"way":"tracked"},"link":"https://evil.example/"}',
            '{"phase":"delta","goal":{"way":"tracked"},"link":"https://evil.example/"}',
        ):
            with pytest.raises(Refused, match="Links to another host are never followed"):
                read(connector, entity, resume=text)
        with pytest.raises(Refused, match="Links to another host are never followed"):
            read(connector, entity, since='{"way":"tracked","link":"https://evil.example/"}')
        assert fake.asked == []


def test_it_does_not_guess_at_a_checkpoint_it_did_not_write() -> None:
    with connected({}) as (_, connector), pytest.raises(CheckpointExpired, match="did not|not one"):
        read(connector, make_account(), since="whatever")
