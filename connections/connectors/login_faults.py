"""Why a token authority, or an organization, said no: one sentence per reason, with what to do.

AADSTS numbers are Microsoft's published sign-in error codes (assumed complete enough; they may
change, so every other number is shown as it is); the 403 codes are those of Microsoft's list of
Dataverse error codes (dataverse.md §1.1). A server's own words are never shown: they may repeat
what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connections.errors import LoginFailed, Refused
from connections.logins import LoginKind

SKEW = 300.0
"""Seconds by which clocks may differ before tokens are refused for it (assumed, Kerberos' too)."""
_AADSTS = re.compile(r"AADSTS(\d{5,8})")

_MFA = (
    "This user must confirm logins with a second factor, which a background service cannot do. "
    "Use an application user (client id and secret) instead, or Sign in with Microsoft."
)
_NO_SUCH_APPLICATION = (
    "There is no application with this client id in the organization's tenant. Check the client "
    "id, and that the application is registered in the same tenant."
)
_NOT_PUBLIC = (
    "The application is registered as a web application, which needs a secret. Set "
    "RESCO_SYNC_DYNAMICS_CLIENT_SECRET, or allow public client flows in its registration."
)
_CLOCK = (
    "The clock of this installation differs from the server's by more than 5 minutes, so logins "
    "are refused. Set the clock."
)
_FEDERATED = (
    "The user's domain logs in at an identity provider of its own, which this kind of login does "
    "not reach. Use an application user or Sign in with Microsoft."
)
SENTENCES: Mapping[str, str] = {
    "7000215": "The client secret is wrong. Enter the secret's value, not its id.",
    "7000222": "The client secret has expired. Make a new one and enter it here.",
    "7000216": "A client secret is needed for this application. Enter it.",
    "7000218": _NOT_PUBLIC,
    "700027": (
        "The application has no such certificate. Upload the certificate to its registration."
    ),
    "700024": _CLOCK,
    "700016": _NO_SUCH_APPLICATION,
    "7000112": "The application is disabled in the tenant. Enable it in Microsoft Entra.",
    "50126": "User name or password is wrong. Enter them again.",
    "50034": "There is no user of this name in the organization's tenant. Check the user name.",
    "50053": "The user is locked after too many wrong passwords. Wait, or unlock the user.",
    "50055": "The user's password has expired. Change it, then enter the new one.",
    "50056": "The user's password is not set or not valid. Set it anew.",
    "50057": "The user is disabled in Microsoft Entra. Enable the user, or use another.",
    "50072": _MFA,
    "50074": _MFA,
    "50076": _MFA,
    "50079": _MFA,
    "50158": _MFA,
    "50107": _FEDERATED,
    "51004": "The user is not in the organization's tenant. Check the user name.",
    "50020": "The user is not in the organization's tenant. Invite the user, or use another.",
    "53003": (
        "The tenant's conditional access does not allow this login from here. Ask the tenant's "
        "administrator to allow it, or use an application user."
    ),
    "65001": "Nobody has consented to this application. An administrator must grant consent.",
    "90002": "The tenant does not exist. Check the organization's address.",
    "900023": "The tenant's id is not valid. Check the organization's address.",
    "50194": "The application may log in only in its own tenant. Enter that tenant as authority.",
    "500011": (
        "The tenant does not know this organization's address as a service. Check the address, "
        "and that the login belongs to the same tenant."
    ),
    "500208": "This login domain is not allowed for this kind of account. Use another user.",
    "50011": "The application's registration does not list this installation's redirect address.",
    "9002327": _NOT_PUBLIC,
}
_ENDED: Mapping[str, str] = {
    "50173": "it was revoked, or the password was changed",
    "50089": "it has expired",
    "70000": "it was revoked",
    "70008": "it has expired",
    "700082": "it was not used for too long",
    "700084": "it has expired",
    "50078": "the second factor must be confirmed again",
    "50076": "the tenant asks for a second factor",
    "50079": "the tenant asks for a second factor",
    "50158": "the tenant asks for a second factor",
    "65001": "nobody consents to this application any more",
    "53003": "the tenant's conditional access does not allow it from here",
    "50057": "the user is disabled in Microsoft Entra",
    "50055": "the user's password has expired",
    "50053": "the user is locked",
    "": "it was revoked, or has expired",
}
"""Why a sign-in ended; those that only signing in again mends."""
_BY_ERROR: Mapping[str, str] = {
    "invalid_client": "Client id or secret is wrong. Enter them again.",
    "invalid_grant": "User name or password is wrong. Enter them again.",
    "unauthorized_client": (
        "This application is not allowed to log in this way. Allow it in its registration."
    ),
    "unsupported_grant_type": (
        "The token authority does not allow this kind of login. Use another kind."
    ),
    "access_denied": "The token authority denied the login. Ask the tenant's administrator.",
}
BY_CODE: Mapping[str, str] = {
    "0x80072560": (
        "The login is valid, but its user is not a member of this organization. Add the user, or "
        "for an application an application user, to the organization."
    ),
    "0x80040225": (
        "The user is disabled in this organization, or has no business unit. Enable the user."
    ),
    "0x80042f09": "The user has no security role in this organization. Assign one.",
    "0x8004d24b": "The user has no licence for this organization. Assign one.",
}


def token_fault(
    document: Mapping[str, object], status: int, kind: LoginKind = LoginKind.SECRET
) -> Refused:
    """Return why the token was not given, from the authority's answer (OAuth2 error form)."""
    error, number = str(document.get("error", "")), _number(document)
    code = f"AADSTS{number}" if number else error[:60]
    ended = _ended(number, error) if kind == LoginKind.MICROSOFT else None
    if ended is not None:
        return LoginFailed(
            f"The sign-in with Microsoft is no longer valid: {ended}. Press Connection and sign "
            "in again.",
            code=code,
        )
    sentence = SENTENCES.get(number) if number else _BY_ERROR.get(error)
    return LoginFailed(sentence or _unknown(number, error, status), code=code)


def membership_fault(code: str) -> LoginFailed | None:
    """Return why a valid token's user may not use the organization, or None for another code."""
    sentence = BY_CODE.get(code.lower())
    return LoginFailed(sentence, code=code) if sentence else None


def clock_fault(origin: str) -> LoginFailed:
    """Return the error for a new token that is refused while our clock is wrong."""
    return LoginFailed(f"{origin} refused a new token. {_CLOCK}", code="clock")


def is_clock_wrong(date: str, now: datetime | None = None) -> bool:
    """Return whether an answer's Date header is further from our time than tokens allow."""
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return False
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return abs((told - (now or datetime.now(UTC))).total_seconds()) > SKEW


def _ended(number: str, error: str) -> str | None:
    if number in _ENDED and (number or error in {"invalid_grant", "interaction_required"}):
        return _ENDED[number]
    return _ENDED[""] if error == "invalid_grant" and number not in SENTENCES else None


def _unknown(number: str, error: str, status: int) -> str:
    shown = f" (AADSTS{number})" if number else f" ({error[:60]})" if error else ""
    where = f" Look AADSTS{number} up at https://login.microsoftonline.com/error." if number else ""
    return f"The token authority did not accept the login{shown}, status {status}.{where}"


def _number(document: Mapping[str, object]) -> str:
    codes = document.get("error_codes")
    if isinstance(codes, list) and codes and str(codes[0]).isdigit():
        return str(codes[0])
    found = _AADSTS.search(str(document.get("error_description", "")))
    return found.group(1) if found else ""
