"""Retries and patience of the connectors' HTTP client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import pytest

from connections.addresses import Allowlist
from connections.connectors.http import HttpClient, Patience
from connections.connectors.limits_told import retry_after
from connections.egress import Limits, Session
from connections.errors import LoginFailed, Retryable, Unreachable
from tests.fakes.server import Answer, Request, serve

NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)


class FakeTokens:
    """Proof that changes with each renewal."""

    def __init__(self) -> None:
        self.number = 1

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.number}"}

    def renew(self, rejected: Mapping[str, str]) -> bool:
        assert rejected == self.headers()
        self.number += 1
        return True


class Waits(list[float]):
    """A sleep that only remembers."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(allow=Allowlist.of(["127.0.0.1"]), limits=Limits(silence=5)) as session:
        yield session


def make_client(
    session: Session,
    waits: Waits,
    *,
    tokens: FakeTokens | None = None,
    is_transient: Callable[[object], bool] = lambda _: False,
) -> HttpClient:
    patience = Patience(attempts=4, sleep=waits, clock=lambda: NOW, chance=lambda: 1.0)
    return HttpClient(session, tokens, patience=patience, is_transient=is_transient)


def in_turn(*answers: Answer) -> Callable[[Request], Answer]:
    left = iter(answers)
    return lambda _: next(left)


def busy(**headers: str) -> Answer:
    return Answer(429, b"secret body", {k.replace("_", "-"): v for k, v in headers.items()})


def test_it_waits_as_long_as_it_is_asked_to(session: Session) -> None:
    waits = Waits()
    with serve(in_turn(busy(Retry_After="7"), Answer(200, b"ok"))) as url:
        assert make_client(session, waits).request("GET", url).body == b"ok"
    assert waits == [7.0]


def test_it_doubles_its_wait_when_none_is_asked(session: Session) -> None:
    waits = Waits()
    with serve(in_turn(busy(), Answer(503), Answer(504), Answer())) as url:
        assert make_client(session, waits).request("GET", url).status == 200
    assert waits == [0.5, 1.0, 2.0]


def test_its_wait_is_spread_by_chance_and_bounded() -> None:
    assert Patience(chance=lambda: 0.0).wait(1) == 0.25
    assert Patience(chance=lambda: 1.0).wait(20) == 60.0


def test_it_gives_up_and_says_so_without_the_body(session: Session) -> None:
    waits = Waits()
    with (
        serve(lambda _: busy(Retry_After="3")) as url,
        pytest.raises(Retryable, match="too many requests.*asks to wait 3 seconds") as caught,
    ):
        make_client(session, waits).request("GET", f"{url}/?password=x")
    assert (caught.value.after, caught.value.code, len(waits)) == (3.0, "429", 3)
    assert "secret" not in str(caught.value)
    assert "password" not in str(caught.value)


def test_it_does_not_sit_out_a_very_long_wait(session: Session) -> None:
    waits = Waits()
    with serve(lambda _: busy(Retry_After="3600")) as url, pytest.raises(Retryable) as caught:
        make_client(session, waits).request("GET", url)
    assert (caught.value.after, waits) == (3600.0, [])


def test_it_does_not_wait_longer_than_there_is_time(session: Session) -> None:
    waits = Waits()
    session.hurry(10)
    with serve(lambda _: busy(Retry_After="20")) as url, pytest.raises(Retryable) as caught:
        make_client(session, waits).request("GET", url)
    assert (caught.value.after, waits) == (20.0, [])


@pytest.mark.parametrize("status", [408, 502, 503, 504])
def test_it_does_not_repeat_a_post_that_may_have_happened(session: Session, status: int) -> None:
    waits = Waits()
    with serve(in_turn(Answer(status))) as url, pytest.raises(Retryable, match=str(status)):
        make_client(session, waits).request("POST", url)
    assert waits == []


def test_it_repeats_a_post_that_was_surely_not_carried_out(session: Session) -> None:
    waits = Waits()
    with serve(in_turn(busy(Retry_After="1"), Answer(204))) as url:
        assert make_client(session, waits).request("POST", url).status == 204


def test_it_repeats_a_post_called_idempotent(session: Session) -> None:
    waits = Waits()
    with serve(in_turn(Answer(502), Answer(204))) as url:
        client = make_client(session, waits)
        assert client.request("POST", url, idempotent=True).status == 204


def test_it_repeats_after_a_broken_line(session: Session) -> None:
    broken = Answer(200, b"abc", {"Content-Length": "10", "Connection": "close"})
    waits = Waits()
    with serve(in_turn(broken, Answer(200, b"ok"))) as url:
        assert make_client(session, waits).request("GET", url).body == b"ok"
    assert waits == [0.5]


def test_it_knows_the_back_ends_own_passing_faults(session: Session) -> None:
    waits = Waits()
    with serve(in_turn(Answer(500, b"deadlock"), Answer(200, b"ok"))) as url:
        client = make_client(
            session, waits, is_transient=lambda reply: getattr(reply, "body", b"") == b"deadlock"
        )
        assert client.request("GET", url).body == b"ok"


def test_it_leaves_other_statuses_to_the_caller(session: Session) -> None:
    waits = Waits()
    with serve(in_turn(Answer(500), Answer(404))) as url:
        client = make_client(session, waits)
        assert client.request("GET", url).status == 500
        assert client.request("GET", url).status == 404
    assert waits == []


def test_it_stops_at_once_when_nobody_ever_answered(session: Session) -> None:
    waits = Waits()
    with serve(in_turn()) as url:
        pass
    with pytest.raises(Unreachable):
        make_client(session, waits).request("GET", url)
    assert waits == []


def test_it_waits_for_a_server_that_answered_before(session: Session) -> None:
    waits = Waits()
    client = make_client(session, waits)
    with serve(in_turn(Answer(headers={"Connection": "close"}))) as url:
        client.request("GET", url)
    with pytest.raises(Retryable, match="Nobody answers"):
        client.request("POST", url)
    assert len(waits) == 3


def test_it_renews_its_token_once(session: Session) -> None:
    def handler(request: Request) -> Answer:
        return Answer(200 if request.headers["authorization"] == "Bearer 2" else 401)

    with serve(handler) as url:
        client = make_client(session, Waits(), tokens=FakeTokens())
        assert client.request("POST", url, body=b"x").status == 200


def test_it_says_that_a_new_token_was_not_accepted_either(session: Session) -> None:
    with (
        serve(lambda _: Answer(401)) as url,
        pytest.raises(LoginFailed, match="accepted the login but not the token"),
    ):
        make_client(session, Waits(), tokens=FakeTokens()).request("GET", url)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        (" 0 ", 0.0),
        ("Wed, 01 May 2024 10:00:30 GMT", 30.0),
        ("Wed, 01 May 2024 09:00:00 GMT", 0.0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("²", None),
    ],
)
def test_it_reads_both_forms_of_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds
