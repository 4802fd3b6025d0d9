"""Each error code of Dataverse has its meaning."""

from __future__ import annotations

import pytest

from connections.connectors.dynamics.errors import CODES, Recovery, meaning, normal
from connections.connectors.dynamics.faults import error_of, is_transient
from connections.connectors.login_faults import membership_fault
from connections.egress import Reply
from tests.fakes.dataverse import failed

RETRY, REJECT, REFUSE, CONFLICT = Recovery
SHEET = {
    RETRY: (
        "0x80072322 0x80072321 0x80072326 0x80044150 0x80044151 0x80044339 0x80072324 0x80071154 "
        "0x80071151 0x80040216"
    ),
    REFUSE: (
        "0x80072560 0x80040225 0x80042F09 0x8004D24B 0x80060888 0x8006088a 0x80041102 0x80041103 "
        "0x80072491 0x80072492 0x80044352 0x8004430A 0x8004E023"
    ),
    CONFLICT: "0x80060882",
    REJECT: (
        "0x80040237 0x80060892 0x80040333 0x80060891 0x8006089D 0x80044331 0x8004431A 0x80048408 "
        "0x80040203 0x80040265 0x80040230 0x8004418A 0x80043506 0x80040220 0x80048306 0x80040299 "
        "0x80040227 0x8004023b 0x80040315 0x80040217 0x8006088D 0x80048d19 0x80041409 0x0"
    ),
}
"""The codes of Microsoft's documents on limits, transient faults, writes and status codes."""
EACH = [(code, recovery) for recovery, codes in SHEET.items() for code in codes.split()]


@pytest.mark.parametrize(("code", "recovery"), EACH)
@pytest.mark.parametrize("status", [400, 500])
def test_a_code_decides_whatever_its_status(code: str, recovery: Recovery, status: int) -> None:
    found = meaning(status, code)
    assert found.recovery is recovery
    assert found.advice.endswith(".")


def test_no_code_is_known_that_the_documents_do_not_name() -> None:
    assert sorted(CODES) == sorted(code.lower() for code, _ in EACH)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (-2147015902, "0x80072322"),
        ("-2147015903", "0x80072321"),
        (-2147015898, "0x80072326"),
        (-2147204784, "0x80044150"),
        (-2147204783, "0x80044151"),
        (-2147220839, "0x80040299"),
        ("0x8004431A", "0x8004431a"),
        (0, "0x0"),
        (None, ""),
        ("InvalidRequest", "invalidrequest"),
    ],
)
def test_codes_come_as_numbers_too(given: object, code: str) -> None:
    assert normal(given) == code


@pytest.mark.parametrize(
    ("status", "recovery"),
    [
        (400, REJECT),
        (401, REFUSE),
        (403, REJECT),
        (404, REJECT),
        (405, REJECT),
        (408, RETRY),
        (412, CONFLICT),
        (413, REJECT),
        (429, RETRY),
        (500, RETRY),
        (501, REJECT),
        (502, RETRY),
        (503, RETRY),
        (504, RETRY),
    ],
)
@pytest.mark.parametrize("code", ["", "0x80099999"])
def test_an_unknown_code_is_judged_by_its_status(
    status: int, recovery: Recovery, code: str
) -> None:
    assert meaning(status, code).recovery is recovery


@pytest.mark.parametrize("number", ["1205", "-2"])
def test_a_deadlock_passes_whatever_its_code(number: str) -> None:
    text = f"Generic SQL error. Sql Number: {number}"
    assert meaning(400, "0x80040203", text).recovery is RETRY
    assert meaning(400, "0x80040203", "Sql Number: 12056").recovery is REJECT


def make_reply(body: bytes, status: int = 400) -> Reply:
    return Reply(status, {}, body, "https://contoso.crm.dynamics.com/")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"error":{"code":"0x8004431A","message":"No."}}', "0x8004431a", "No."),
        (b'{"error":{"code":-2147204784,"message":"No."}}', "0x80044150", "No."),
        (b'{"error":{"code":"","message":"No route."}}', "", "No route."),
        (b'{"Message":"The gateway says no."}', "", "The gateway says no."),
        (b'{"error":"invalid_request"}', "", "invalid_request"),
        (b"<html><body>Bad Gateway</body></html>", "", ""),
        (b"", "", ""),
        (b"[]", "", ""),
        (b"\xff\xfe", "", ""),
    ],
)
def test_it_reads_every_form_of_an_error(body: bytes, code: str, message: str) -> None:
    assert error_of(make_reply(body)) == (code, message)


def test_a_passing_fault_may_hide_inside_an_error() -> None:
    inner = (
        b'{"error":{"code":"0x80040203","message":"No.",'
        b'"innererror":{"message":"Sql Number: 1205"}}}'
    )
    assert is_transient(make_reply(inner))
    assert not is_transient(make_reply(b'{"error":{"code":"0x80040203","message":"No."}}'))
    assert not is_transient(make_reply(inner, 200))
    assert is_transient(make_reply(failed("0x80044339").body))
    # An unknown 500 may be one record's: the writer tries it again itself.
    assert not is_transient(make_reply(b"", 500))


def test_users_that_may_do_nothing_are_told_by_their_own_sentences() -> None:
    for code in ("0x80072560", "0x80040225", "0x80042f09", "0x8004d24b"):
        assert membership_fault(code) is not None
