"""Basic authentication of a member, for every service and door that takes it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from django.http import HttpRequest

from organizations import authentication
from organizations.authentication import AuthenticationFailed
from organizations.models import Member


class NoCredentials(AuthenticationFailed):
    """The request brings no usable login; `reason` says why, to whoever may know it."""

    def __init__(self, reason: str) -> None:
        """Keep the reason beside the one sentence."""
        self.reason = reason
        super().__init__()


def challenge(realm: str) -> Mapping[str, str]:
    """Return the header that asks for Basic authentication."""
    return {"WWW-Authenticate": f'Basic realm="{realm}", charset="UTF-8"'}


def credentials(request: HttpRequest) -> tuple[str, str]:
    """Return user name and password of the Authorization header. Raises NoCredentials."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise NoCredentials("Send user name and password by Basic authentication.")
    try:
        decoded = base64.b64decode(token.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _invalid() from error
    user_name, colon, password = decoded.partition(":")
    if not colon or "\x00" in decoded:
        raise _invalid()
    return user_name, password


def member(request: HttpRequest, organization_name: str) -> Member:
    """Return who is calling.

    Raises AuthenticationFailed, for an organization that does not exist too, and Throttled.
    """
    user_name, password = credentials(request)
    address = request.META.get("REMOTE_ADDR", "")
    return authentication.member(organization_name, user_name, password, address)


def _invalid() -> NoCredentials:
    return NoCredentials("The Authorization header is not valid Basic authentication.")
