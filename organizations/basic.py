"""Basic authentication of a member, for every service of a hosted organization."""

from __future__ import annotations

import base64
import binascii

from django.http import HttpRequest

from organizations import authentication
from organizations.authentication import AuthenticationFailed
from organizations.models import Member

CHALLENGE = {"WWW-Authenticate": 'Basic realm="Resco Cloud", charset="UTF-8"'}


def credentials(request: HttpRequest) -> tuple[str, str]:
    """Return user name and password of the Authorization header. Raises AuthenticationFailed."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise AuthenticationFailed
    try:
        decoded = base64.b64decode(token.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise AuthenticationFailed from error
    user_name, colon, password = decoded.partition(":")
    if not colon or "\x00" in decoded:
        raise AuthenticationFailed
    return user_name, password


def member(request: HttpRequest, organization_name: str) -> Member:
    """Return who is calling.

    Raises AuthenticationFailed, for an organization that does not exist too, and Throttled.
    """
    user_name, password = credentials(request)
    address = request.META.get("REMOTE_ADDR", "")
    return authentication.member(organization_name, user_name, password, address)
