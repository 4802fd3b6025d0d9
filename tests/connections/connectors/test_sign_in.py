"""Sign in with Microsoft, by certificate and by refresh token, against a strict authority."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest
from pytest_django import Settings

from connections import egress
from connections.connectors import sign_in
from connections.connectors.http import Patience
from connections.connectors.sign_in import Begun
from connections.errors import LoginFailed, Refused, Retryable
from connections.logins import Login, LoginKind
from tests.connections.connectors.signing_in import REDIRECT, Remembering, World, world
from tests.fakes.authority import CLIENT_ID, USER
from tests.fakes.certificates import make_pem
from tests.fakes.server import Answer, serve


@pytest.fixture
def there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings.RESCO_SYNC_DYNAMICS_CLIENT_ID = CLIENT_ID
    settings.RESCO_SYNC_DYNAMICS_CLIENT_SECRET = ""
    with world() as found:
        monkeypatch.setattr(egress, "session", found.session)
        yield found


def signed_in(there: World, keeper: Remembering) -> Login:
    begun = sign_in.begin(there.url, REDIRECT)
    done = sign_in.finish(begun, there.browse(begun.address))
    return Login(done.user_name, done.refresh_token, LoginKind.MICROSOFT, keeper)


def test_it_signs_in_and_uses_the_refresh_token(there: World) -> None:
    keeper = Remembering()
    login = signed_in(there, keeper)
    assert login.user_name == USER
    token = there.authentication(login).headers()["Authorization"].removeprefix("Bearer ")
    assert token in there.authority.access_tokens
    grants = [form["grant_type"] for form in there.authority.forms]
    assert grants == ["authorization_code", "refresh_token"]
    assert keeper.tokens == [keeper.tokens[-1]] != [login.secret]
    assert keeper.tokens[-1] in there.authority.refresh_tokens


def test_what_is_kept_meanwhile_is_json(there: World) -> None:
    begun = sign_in.begin(there.url, REDIRECT)
    again = Begun.of(orjson.loads(orjson.dumps(begun.kept())))
    assert sign_in.finish(again, there.browse(again.address)).user_name == USER


def test_it_uses_the_newest_refresh_token_for_the_next(there: World) -> None:
    keeper = Remembering()
    authentication = there.authentication(signed_in(there, keeper))
    first = authentication.headers()
    assert authentication.renew(first)
    assert authentication.headers() != first
    used = [form.get("refresh_token") for form in there.authority.forms[1:]]
    assert used == [used[0], keeper.tokens[0]]


def test_a_web_application_sends_its_secret(there: World, settings: Settings) -> None:
    settings.RESCO_SYNC_DYNAMICS_CLIENT_SECRET = there.authority.client_secret = "of the web"
    authentication = there.authentication(signed_in(there, Remembering()))
    assert authentication.headers()
    settings.RESCO_SYNC_DYNAMICS_CLIENT_SECRET = ""
    with pytest.raises(LoginFailed, match="registered as a web application"):
        signed_in(there, Remembering())


def test_an_answer_of_another_sign_in_is_refused(there: World) -> None:
    begun, other = sign_in.begin(there.url, REDIRECT), sign_in.begin(there.url, REDIRECT)
    answer = there.browse(other.address)
    with pytest.raises(LoginFailed, match="does not belong to the sign-in that was begun") as told:
        sign_in.finish(begun, answer)
    assert answer["state"] not in str(told.value)
    mixed = there.browse(begun.address) | {"code": answer["code"]}
    with pytest.raises(LoginFailed, match="AADSTS501481"):
        sign_in.finish(begun, mixed)


def test_a_code_is_good_once(there: World) -> None:
    begun = sign_in.begin(there.url, REDIRECT)
    answer = there.browse(begun.address)
    sign_in.finish(begun, answer)
    with pytest.raises(LoginFailed, match="AADSTS54005"):
        sign_in.finish(begun, answer)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"error": "access_denied"}, "denied the login"),
        ({"error": "x", "error_description": "AADSTS65001: <b>words</b>"}, "grant consent"),
        ({}, "does not belong to the sign-in"),
    ],
)
def test_a_refusal_on_the_page_is_told(there: World, error: dict[str, str], message: str) -> None:
    begun = sign_in.begin(there.url, REDIRECT)
    with pytest.raises(LoginFailed, match=message) as told:
        sign_in.finish(begun, {"state": str(begun.flow["state"]), **error})
    assert "words" not in str(told.value)


def test_a_sign_in_without_a_lasting_token_is_refused(there: World) -> None:
    there.authority.gives_refresh_tokens = False
    with pytest.raises(LoginFailed, match="no lasting token. Allow .* offline_access"):
        signed_in(there, Remembering())


def test_it_asks_for_an_application_of_ones_own(there: World, settings: Settings) -> None:
    settings.RESCO_SYNC_DYNAMICS_CLIENT_ID = ""
    with pytest.raises(Refused, match="set RESCO_SYNC_DYNAMICS_CLIENT_ID to its client id"):
        sign_in.begin(there.url, REDIRECT)


def test_on_premises_there_is_no_sign_in(there: World) -> None:
    ntlm = Answer(401, headers={"WWW-Authenticate": "NTLM"})
    with serve(lambda _: ntlm) as url, pytest.raises(Refused, match="knows no Sign in"):
        sign_in.begin(url, REDIRECT)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (50173, "it was revoked, or the password was changed"),
        (50089, "it has expired"),
        (70000, "it was revoked"),
        (70008, "it has expired"),
        (700082, "it was not used for too long"),
        (700084, "it has expired"),
        (50078, "the second factor must be confirmed again"),
        (50076, "the tenant asks for a second factor"),
        (50079, "the tenant asks for a second factor"),
        (50158, "the tenant asks for a second factor"),
        (65001, "nobody consents to this application any more"),
        (53003, "the tenant's conditional access does not allow it from here"),
        (50057, "the user is disabled in Microsoft Entra"),
        (50055, "the user's password has expired"),
        (50053, "the user is locked"),
        (12345, "it was revoked, or has expired"),
    ],
)
def test_a_sign_in_that_ended_says_so_to_the_keeper(there: World, number: int, reason: str) -> None:
    keeper = Remembering()
    login = signed_in(there, keeper)
    there.authority.ends = number
    sentence = (
        f"The sign-in with Microsoft is no longer valid: {reason}. "
        "Press Connection and sign in again."
    )
    with pytest.raises(LoginFailed) as told:
        there.authentication(login).headers()
    assert (str(told.value), told.value.code) == (sentence, f"AADSTS{number}")
    assert keeper.reasons == [sentence]


def test_an_application_logs_in_by_certificate(there: World) -> None:
    there.authority.certificate, text = make_pem()
    login = Login(CLIENT_ID, text, LoginKind.CERTIFICATE)
    assert there.authentication(login).headers()
    form = there.authority.forms[0]
    assert form["grant_type"] == "client_credentials"
    assert "client_secret" not in form
    there.authority.certificate, _ = make_pem()
    with pytest.raises(LoginFailed, match="has no such certificate. Upload the certificate"):
        there.authentication(login).headers()
    broken = replace(login, secret=text.partition("-----BEGIN PRIVATE")[0])
    with pytest.raises(LoginFailed, match="not its private key"):
        there.authentication(broken).headers()


def test_it_waits_as_long_as_the_authority_asks(there: World) -> None:
    login, waits = signed_in(there, Remembering()), list[float]()
    there.authority.busy = ["7", "11"]
    authentication = there.authentication(login)
    authentication._patience = Patience(attempts=3, sleep=waits.append)
    assert authentication.headers()
    assert waits == [7.0, 11.0]
    there.authority.busy = ["7"] * 9
    assert authentication.renew(authentication.headers())
    with pytest.raises(Retryable, match="had too many requests .* it asks to wait 7 seconds"):
        authentication.headers()


def test_no_secret_is_logged(there: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    there.authority.certificate, pem = make_pem()
    keeper = Remembering()
    login = signed_in(there, keeper)
    authentication = there.authentication(login)
    authentication.headers()
    there.authentication(Login(CLIENT_ID, pem, LoginKind.CERTIFICATE)).headers()
    there.authority.ends = 70000
    with pytest.raises(LoginFailed) as told:
        there.authentication(login).headers()
    said = caplog.text + str(told.value) + repr(login) + repr(told.value.__context__)
    assert "/oauth2/v2.0/token" in said
    hidden = {*there.authority.access_tokens, *there.authority.refresh_tokens, *pem.split("\n")}
    hidden |= {form.get("code_verifier", "-") for form in there.authority.forms} - {"-"}
    hidden |= {form.get("client_assertion", "-") for form in there.authority.forms} - {"-"}
    assert len(hidden) > 20
    assert [text for text in hidden if text and text in said] == []
