"""Why a token authority, or an organization, said no: one sentence per reason.

AADSTS numbers are Microsoft's published sign-in error codes (assumed complete enough); the 403
codes are those of Microsoft's list of Dataverse error codes (dataverse.md §1.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from connections.errors import LoginFailed, Refused

_AADSTS = re.compile(r"AADSTS(\d{5,8})")

_MFA = (
    "This user must confirm logins with a second factor, which a background service cannot do. "
    "Use an application user (client id and secret) instead."
)
_NO_SUCH_APPLICATION = (
    "There is no application with this client id in the organization's tenant. Check the client "
    "id, and that the application is registered in the same tenant."
)
_SENTENCES: Mapping[str, str] = {
    "7000215": "The client secret is wrong. Enter the secret's value, not its id.",
    "7000222": "The client secret has expired. Make a new one and enter it here.",
    "7000216": "A client secret is needed for this application.",
    "700016": _NO_SUCH_APPLICATION,
    "50126": "User name or password is wrong.",
    "50034": "There is no user of this name in the organization's tenant.",
    "50053": "The user is locked after too many wrong passwords. Wait, or unlock the user.",
    "50055": "The user's password has expired. Change it, then enter the new one.",
    "50056": "The user's password is not set or not valid. Set it anew.",
    "50057": "The user is disabled in Microsoft Entra.",
    "50074": _MFA,
    "50072": _MFA,
    "50076": _MFA,
    "50079": _MFA,
    "50158": _MFA,
    "53003": "The tenant's conditional access does not allow this login from here.",
    "65001": "Nobody has consented to this application. An administrator must grant consent.",
    "90002": "The tenant does not exist. Check the organization's address.",
    "900023": "The tenant's id is not valid. Check the organization's address.",
    "500011": "The tenant does not know this organization's address as a service.",
    "500208": "This login domain is not allowed for this kind of account.",
}
_BY_ERROR: Mapping[str, str] = {
    "invalid_client": "Client id or secret is wrong.",
    "invalid_grant": "User name or password is wrong.",
    "unauthorized_client": "This application is not allowed to log in this way.",
    "unsupported_grant_type": "The token authority does not allow this kind of login.",
    "access_denied": "The token authority denied the login.",
}
_BY_CODE: Mapping[str, str] = {
    "0x80072560": "The login is valid, but its user is not a member of this organization.",
    "0x80040225": "The user is disabled in this organization, or has no business unit.",
    "0x80042f09": "The user has no security role in this organization. Assign one.",
    "0x8004d24b": "The user has no licence for this organization.",
}


def token_fault(document: Mapping[str, object], status: int) -> Refused:
    """Return why the token was not given, from the authority's answer (OAuth2 error form)."""
    error = str(document.get("error", ""))
    number = _number(document)
    sentence = _SENTENCES.get(number) or _BY_ERROR.get(error)
    if sentence is None:
        shown = f" (AADSTS{number})" if number else f" ({error[:60]})" if error else ""
        sentence = f"The token authority did not accept the login{shown}, status {status}."
    return LoginFailed(sentence, code=f"AADSTS{number}" if number else error[:60])


def membership_fault(code: str) -> LoginFailed | None:
    """Return why a valid token's user may not use the organization, or None for another code."""
    sentence = _BY_CODE.get(code.lower())
    return LoginFailed(sentence, code=code) if sentence else None


def _number(document: Mapping[str, object]) -> str:
    codes = document.get("error_codes")
    if isinstance(codes, list) and codes:
        return str(codes[0])
    found = _AADSTS.search(str(document.get("error_description", "")))
    return found.group(1) if found else ""
