"""Login, faults, broken answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connections.addresses import Allowlist
from connections.connectors.base import Connector
from connections.connectors.http import Patience
from connections.connectors.resco_cloud.connector import RescoCloudConnector
from connections.egress import Session
from connections.errors import ConnectorError, LoginFailed, Refused, Retryable, Unreachable
from organizations.schema import ENGLISH
from tests.connections.connectors.place import described, make_things
from tests.connections.connectors.resco_cloud.strict import StrictRescoPlace
from tests.fakes.resco.service import PASSWORD, USER
from tests.fakes.server import Answer, Request, serve


def make_connector(url: str, user: str = USER, password: str = PASSWORD) -> Connector:
    session = Session(allow=Allowlist.of(["127.0.0.1"]))
    patience = Patience(sleep=lambda _: None, attempts=3)
    return RescoCloudConnector(url, user, password, session=session, patience=patience)


def answering(answer: Answer) -> Callable[[Request], Answer]:
    return lambda _: answer


def test_who_am_i_proves_the_login(place: StrictRescoPlace) -> None:
    with place.connector() as connector:
        found = connector.identify()
    assert found.organization_id == place.organization.id
    assert (found.organization_name, found.user_id) == ("Strict", place.organization.user)
    assert (found.version, found.languages) == ("17", (ENGLISH,))
    assert place.service.asked == ["POST data/WhoAmI"]


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("other@example.com", PASSWORD)])
def test_a_wrong_login_fails_at_once(place: StrictRescoPlace, user: str, password: str) -> None:
    with (
        make_connector(f"{place.url}/strict", user, password) as connector,
        pytest.raises(LoginFailed, match="did not accept the user name and password"),
    ):
        connector.identify()


@pytest.mark.parametrize(("user", "password"), [("", PASSWORD), (USER, "")])
def test_a_login_without_both_is_not_sent(user: str, password: str) -> None:
    with (
        make_connector("http://127.0.0.1:9/org", user, password) as connector,
        pytest.raises(LoginFailed, match="Enter the e-mail address and the password"),
    ):
        connector.identify()


def test_a_login_by_anything_but_a_password_is_refused() -> None:
    with pytest.raises(LoginFailed, match="by user name and password only"):
        RescoCloudConnector("https://host.example/org", USER, "x", kind="certificate")


def test_another_organization_is_not_there(place: StrictRescoPlace) -> None:
    with (
        make_connector(f"{place.url}/other") as connector,
        pytest.raises(Unreachable, match="There is no Resco Cloud organization at this address"),
    ):
        connector.identify()


_FAULT = b"<Fault><Code>7</Code><Reason>%s</Reason><Detail>here</Detail></Fault>"


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (500, _FAULT % b"No such thing", Refused, "No such thing \\(here\\)"),
        (500, b"<Answer>" + _FAULT % b"Inside" + b"</Answer>", Refused, "Inside"),
        (403, _FAULT % b"Not you", Refused, "denies it: Not you"),
        (400, b"what?", Refused, "status 400"),
        (500, _FAULT % b"Transaction was deadlocked", Retryable, "not able to answer"),
        (500, b"<html>Oops</html>", Retryable, "not able to answer"),
        (503, b"", Retryable, "not able to answer"),
        (200, b"<WhoAmI><Organiz", Retryable, "cannot be read"),
        (200, b"", Retryable, "cannot be read"),
        (200, b"<WhoAmI/>", Retryable, "WhoAmI without ids"),
        (200, b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', Retryable, "document type"),
    ],
)
def test_it_knows_what_an_answer_means(
    status: int, body: bytes, kind: type[ConnectorError], says: str
) -> None:
    with (
        serve(answering(Answer(status, body))) as url,
        make_connector(f"{url}/org") as connector,
        pytest.raises(kind, match=says) as caught,
    ):
        connector.identify()
    assert type(caught.value) is kind


def test_it_gives_the_code_of_a_fault() -> None:
    with (
        serve(answering(Answer(500, _FAULT % b"No"))) as url,
        make_connector(f"{url}/org") as connector,
        pytest.raises(Refused) as caught,
    ):
        connector.identify()
    assert caught.value.code == "7"


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"<Nothing/>", "GetMaxRowVersion without a number"), (b"<V>none</V>", "without a number")],
)
def test_a_version_without_a_number_is_no_answer(body: bytes, says: str) -> None:
    with (
        serve(answering(Answer(200, body))) as url,
        make_connector(f"{url}/org") as connector,
        pytest.raises(Retryable, match=says),
    ):
        connector.edits((), 0)


def test_a_thousand_requests_lose_nothing(place: StrictRescoPlace) -> None:
    ids = make_things(place, 20)
    with place.connector() as connector:
        thing = described(connector, "thing")
        before = len(place.service.asked)
        for at in range(1000):
            page = connector.fetch(thing, [], [ids[at % 20]])
            assert [row[0] for row in page.rows] == [ids[at % 20]]
        assert len(place.service.asked) - before == 1000
