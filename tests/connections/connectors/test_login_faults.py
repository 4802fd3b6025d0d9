"""A sentence for each reason, with what to do; and nothing of what was sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from connections.connectors.login_faults import (
    BY_CODE,
    SENTENCES,
    is_clock_wrong,
    membership_fault,
    token_fault,
)
from connections.logins import LoginKind

EXPECTED = {
    "7000215": "The client secret is wrong. Enter the secret's value",
    "7000222": "The client secret has expired. Make a new one",
    "7000216": "A client secret is needed",
    "7000218": "registered as a web application.*RESCO_SYNC_DYNAMICS_CLIENT_SECRET",
    "700027": "has no such certificate. Upload",
    "700024": "The clock of this installation differs.*Set the clock",
    "700016": "no application with this client id in the organization's tenant. Check",
    "7000112": "The application is disabled in the tenant. Enable it",
    "50126": "User name or password is wrong",
    "50034": "There is no user of this name",
    "50053": "The user is locked.*Wait, or unlock",
    "50055": "password has expired. Change it",
    "50056": "password is not set or not valid. Set it",
    "50057": "The user is disabled in Microsoft Entra. Enable",
    "50072": "second factor.*Use an application user",
    "50074": "second factor.*Use an application user",
    "50076": "second factor.*Use an application user",
    "50079": "second factor.*Use an application user",
    "50158": "second factor.*Use an application user",
    "50107": "identity provider of its own.*Use an application user or Sign in",
    "51004": "not in the organization's tenant. Check",
    "50020": "not in the organization's tenant. Invite",
    "53003": "conditional access does not allow.*Ask the tenant's administrator",
    "65001": "Nobody has consented.*must grant consent",
    "90002": "The tenant does not exist. Check",
    "900023": "The tenant's id is not valid. Check",
    "50194": "only in its own tenant. Enter that tenant as authority",
    "500011": "does not know this organization's address as a service. Check",
    "500208": "not allowed for this kind of account. Use another",
    "50011": "does not list this installation's redirect address",
    "9002327": "registered as a web application",
}


def test_every_number_has_a_test() -> None:
    assert EXPECTED.keys() == SENTENCES.keys()


@pytest.mark.parametrize("number", EXPECTED)
def test_each_number_has_its_sentence(number: str) -> None:
    words = f"AADSTS{number}: some words, and s3cret. Trace ID: 1"
    for document in ({"error_codes": [int(number)]}, {"error": "x", "error_description": words}):
        fault = token_fault(document, 400)
        assert re.search(EXPECTED[number], str(fault))
        assert fault.code == f"AADSTS{number}"
        assert "s3cret" not in str(fault)


def test_an_unknown_number_is_shown_with_where_to_look_it_up() -> None:
    fault = token_fault({"error": "invalid_grant", "error_codes": [424242]}, 400)
    assert str(fault) == (
        "The token authority did not accept the login (AADSTS424242), status 400. Look "
        "AADSTS424242 up at https://login.microsoftonline.com/error."
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("invalid_client", "Client id or secret is wrong"),
        ("invalid_grant", "User name or password is wrong"),
        ("unauthorized_client", "not allowed to log in this way. Allow it"),
        ("unsupported_grant_type", "does not allow this kind of login. Use another"),
        ("access_denied", "denied the login. Ask"),
        ("odd", r"did not accept the login \(odd\), status 400"),
    ],
)
def test_an_authority_without_numbers_has_its_sentences(error: str, sentence: str) -> None:
    fault = token_fault({"error": error, "error_description": "s3cret"}, 400)
    assert re.search(sentence, str(fault))
    assert "s3cret" not in str(fault)


def test_what_signing_in_again_does_not_mend_keeps_its_sentence() -> None:
    for number, sentence in (("7000215", "The client secret is wrong"), ("700016", "no applic")):
        document = {"error": "invalid_client", "error_codes": [int(number)]}
        assert sentence in str(token_fault(document, 401, LoginKind.MICROSOFT))


CODES = {
    "0x80072560": "not a member of this organization. Add the user",
    "0x80040225": "disabled in this organization, or has no business unit. Enable",
    "0x80042F09": "no security role in this organization. Assign",
    "0x8004D24B": "no licence for this organization. Assign",
}


def test_every_code_has_a_test() -> None:
    assert {code.lower() for code in CODES} == BY_CODE.keys()


@pytest.mark.parametrize("code", CODES)
def test_each_code_of_an_organization_has_its_sentence(code: str) -> None:
    for said in (code, code.lower()):
        assert CODES[code] in str(membership_fault(said))


NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "is_wrong"),
    [
        ("Fri, 01 May 2026 12:04:59 GMT", False),
        ("Fri, 01 May 2026 12:05:01 GMT", True),
        ("Fri, 01 May 2026 11:54:59 GMT", True),
        ("", False),
        ("yesterday", False),
    ],
)
def test_it_notices_a_wrong_clock(date: str, is_wrong: bool) -> None:
    assert is_clock_wrong(date, NOW) is is_wrong
