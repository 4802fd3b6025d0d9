"""Basic authentication of a client organization's administrator, for every web service door."""

from __future__ import annotations

import base64
import binascii

from django.http import HttpRequest

from organizations import authentication
from organizations.models import Member
from syncjobs.doors.fault import Fault

CHALLENGE = {"WWW-Authenticate": 'Basic realm="Resco CRM Sync", charset="UTF-8"'}


def credentials(request: HttpRequest) -> tuple[str, str]:
    """Return user name and password of the Authorization header; 401 without a usable one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise unauthorized("Send user name and password by Basic authentication.")
    try:
        decoded = base64.b64decode(token.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise unauthorized("The Authorization header is not valid Basic authentication.") from error
    user_name, colon, password = decoded.partition(":")
    if not colon or "\x00" in decoded:
        raise unauthorized("The Authorization header is not valid Basic authentication.")
    return user_name, password


def administrator(request: HttpRequest, client: str) -> Member:
    """Return the administrator of the client organization who is calling.

    401 for wrong credentials, and the same for an organization that does not exist; 403 for a
    member who is no administrator; 429 after too many attempts.
    """
    user_name, password = credentials(request)
    address = request.META.get("REMOTE_ADDR", "")
    try:
        member = authentication.member(client, user_name, password, address)
    except authentication.AuthenticationFailed as error:
        raise unauthorized("The user name or password is not correct.") from error
    except authentication.Throttled as error:
        raise throttled(error.after) from error
    if not member.is_administrator:
        raise Fault(
            f"{member.email} is no administrator of '{client}'. Ask one to start this.",
            status=403,
            code="Forbidden",
        )
    return member


def unauthorized(reason: str) -> Fault:
    """Return the 401 that asks for Basic authentication."""
    return Fault(reason, status=401, code="Unauthorized", headers=CHALLENGE)


def throttled(after: float) -> Fault:
    """Return the 429 that says how many seconds to wait."""
    seconds = max(1, round(after))
    return Fault(
        f"Too many attempts. Wait {seconds} seconds.",
        status=429,
        code="Throttled",
        headers={"Retry-After": str(seconds)},
    )
