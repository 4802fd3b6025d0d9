"""The one way in for people and applications of hosted organizations (design 5.1.14).

Every door with a user name and a password asks here. A password hash costs about 0.4 s, so a
verified login is remembered for a few minutes under a keyed digest of the password and of the
stored hash: a changed password, or a user switched off, is a different question at once.
Attempts are counted per address, per name and per organization before the hash is computed;
only failures stay counted. Unknown and wrong get the same answer after the same work. Of many who
come with one password at once, as when it is forgotten while they work, one is checked and the
others wait for it: they are no attempts of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from organizations import throttle
from organizations.errors import OrganizationError
from organizations.models import Application, Member, Organization
from organizations.throttle import WINDOW_SECONDS as WINDOW_SECONDS
from organizations.throttle import Throttled as Throttled

REMEMBERED_SECONDS = 300
WAIT_SECONDS = 10
"""How long somebody waits for the check of the same password by somebody else."""
_LOOK_SECONDS = 0.02
LIMITS = {"address": 60, "name": 20, "target": 200}
"""Failed attempts within a window; beyond that the door is closed until the window ends."""


class AuthenticationFailed(OrganizationError):
    """The user name or the password is not right; says nothing about which."""

    def __init__(self) -> None:
        """Say the one sentence that fits every reason."""
        super().__init__("The user name or the password is not right.")


@dataclass(frozen=True, slots=True)
class _Login:
    """What proves a principal: the stored hash, and the check that costs so much."""

    stored: str
    check: Callable[[str], bool]


def member(organization_name: str, email: str, password: str, address: str) -> Member:
    """Return the active member with that password. Raises AuthenticationFailed, Throttled.

    `address` is where the request came from.
    """
    found = (
        Member.objects.select_related("organization")
        .filter(organization__name=organization_name, email__iexact=email, is_active=True)
        .first()
    )
    login = _Login(found.password, found.check_password) if found else None
    _prove(login, password, (address, email.lower(), organization_name))
    if found is None:
        raise AuthenticationFailed
    return found


def application(
    organization: Organization, client_id: str, secret: str, address: str
) -> Application:
    """Return the active application user. Raises AuthenticationFailed, Throttled."""
    key = _uuid(client_id)
    rows = Application.objects.filter(organization=organization, is_active=True)
    found = rows.filter(id=key).first() if key else None
    login = _Login(found.secret, found.check_secret) if found else None
    _prove(login, secret, (address, client_id.lower(), organization.name))
    if found is None:
        raise AuthenticationFailed
    return found


def fingerprint(stored: str) -> str:
    """Return a short keyed digest of a stored hash: changes when the password does."""
    return salted_hmac("organizations.authentication.stored", stored).hexdigest()[:16]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _prove(login: _Login | None, password: str, who: tuple[str, str, str]) -> None:
    remembered = _remembered_key(login, password)
    if login and cache.get(remembered):
        return
    busy = f"{remembered}:busy"
    is_first = bool(cache.add(busy, True, WAIT_SECONDS))
    if not is_first:
        _wait(busy)
        if login and cache.get(remembered):
            return
    try:
        _check(login, password, who, remembered)
    finally:
        if is_first:
            cache.delete(busy)


def _wait(busy: str) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while cache.get(busy) and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)


def _check(login: _Login | None, password: str, who: tuple[str, str, str], remembered: str) -> None:
    address, name, target = who
    subjects = {"address": address, "name": f"{target}\0{name}", "target": target}
    attempt = throttle.attempt("attempts", subjects, LIMITS)
    if login is None:
        make_password(password)
        raise AuthenticationFailed
    if not login.check(password):
        raise AuthenticationFailed
    cache.set(remembered, True, REMEMBERED_SECONDS)
    attempt.forgive()


def _remembered_key(login: _Login | None, password: str) -> str:
    stored = login.stored if login else ""
    secret = salted_hmac("organizations.authentication", f"{stored}\0{password}").hexdigest()
    return f"login:{secret}"
