"""Basic authentication of a client organization's administrator, for every web service door."""

from __future__ import annotations

from django.http import HttpRequest

from connections.connect import clients
from organizations import authentication, basic
from syncjobs.doors.fault import Fault

CHALLENGE = basic.challenge("Resco CRM Sync")


def credentials(request: HttpRequest) -> tuple[str, str]:
    """Return user name and password of the Authorization header; 401 without a usable one."""
    try:
        return basic.credentials(request)
    except basic.NoCredentials as error:
        raise unauthorized(error.reason) from error


def administrator(request: HttpRequest, client: str) -> str:
    """Return the e-mail address of the client organization's administrator who is calling.

    Of a client that is not hosted here it is the user by whom we reach it. 401 for wrong
    credentials, and the same for an organization that does not exist; 403 for a member who is no
    administrator; 429 after too many attempts.
    """
    user_name, password = credentials(request)
    address = request.META.get("REMOTE_ADDR", "")
    elsewhere = clients.remote(client)
    try:
        if elsewhere is not None:
            clients.authenticate(elsewhere, user_name, password, address)
            return user_name
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
    return member.email


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
