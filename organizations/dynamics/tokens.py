"""Access tokens of a twin: signed, for one organization and one user, valid for an hour.

A token also carries a digest of the user's stored password or secret, so that it ends when that
is changed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

from django.core import signing

from organizations.authentication import fingerprint
from organizations.models import Application, Member, Organization

LIFETIME_SECONDS = 3599
_SIGNER = signing.TimestampSigner(salt="organizations.dynamics.token", sep=".")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the user's id, and the name that writes are logged under."""

    id: UUID
    name: str


def issue(organization: Organization, user: Member | Application) -> str:
    """Return a token for that user of that twin."""
    kind, stored = _proof(user)
    return _SIGNER.sign_object(
        {
            "o": organization.pk.hex,
            "k": kind,
            "u": user.pk.hex,
            "f": fingerprint(stored),
            # Two tokens of one second differ, so that one can be withdrawn without the other.
            "n": secrets.token_hex(4),
        }
    )


def verify(organization: Organization, token: str) -> Principal | None:
    """Return whom a token is for; None for a foreign, forged, expired or withdrawn one."""
    claims = _claims(organization, token)
    if claims is None:
        return None
    user = _user(organization, claims["k"], UUID(claims["u"]))
    if user is None or fingerprint(_proof(user)[1]) != claims["f"]:
        return None
    return Principal(user.pk, str(user))


def user_of(organization: Organization, token: str) -> str:
    """Return the id of the user a token was issued to, '' for a foreign, forged or expired one.

    Asks no database, so the user may have lost the right to sign in since.
    """
    claims = _claims(organization, token)
    return str(claims["u"]) if claims else ""


def _claims(organization: Organization, token: str) -> dict[str, str] | None:
    try:
        claims: dict[str, str] = _SIGNER.unsign_object(token, max_age=LIFETIME_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return claims if claims.get("o") == organization.pk.hex else None


def _user(organization: Organization, kind: str, key: UUID) -> Member | Application | None:
    if kind == "application":
        applications = Application.objects.filter(organization=organization, is_active=True)
        return applications.filter(pk=key).first()
    return Member.objects.filter(organization=organization, is_active=True, pk=key).first()


def _proof(user: Member | Application) -> tuple[str, str]:
    if isinstance(user, Application):
        return "application", user.secret
    return "member", user.password
