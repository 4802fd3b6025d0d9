"""Ways to log in to an organization, and the login itself.

`Login.secret` is, by kind: a password or client secret; a certificate with its key as PEM text; a
refresh token of somebody who signed in with Microsoft.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, Self
from uuid import UUID

from django.db import models

PEM = "-----BEGIN "


class LoginKind(models.TextChoices):
    """What the secret of an endpoint is."""

    SECRET = "secret", "User name and password, or client id and secret"  # noqa: S105
    CERTIFICATE = "certificate", "Client id and certificate"
    MICROSOFT = "microsoft", "Sign in with Microsoft"

    @classmethod
    def of(cls, secret: str) -> LoginKind:
        """Return what somebody who said only "password" meant: PEM text is a certificate."""
        return cls.CERTIFICATE if PEM in secret else cls.SECRET


class Keeper(Protocol):
    """Keeps the refresh token of a sign-in, which changes with use."""

    def renewed(self, refresh_token: str) -> None:
        """Take the token that replaces the one kept."""

    def lost(self, reason: str) -> None:
        """Hear that the sign-in is no longer valid; `reason` is a sentence for an administrator."""


class Forgetful:
    """Keeps nothing: for a login that cannot change, or that nobody wants to have again."""

    def renewed(self, refresh_token: str) -> None:
        """Let it go."""

    def lost(self, reason: str) -> None:
        """Let it go; the error says it too."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, and by what. Never printed."""

    user_name: str
    secret: str
    kind: LoginKind = LoginKind.SECRET
    keeper: Keeper = field(default_factory=Forgetful, compare=False)

    def __repr__(self) -> str:
        """Show the user only."""
        return f"Login({self.user_name!r}, {self.kind.value})"

    @property
    def is_application(self) -> bool:
        """Return whether the user name is a client id, and not somebody who signed in."""
        return self.kind != LoginKind.MICROSOFT and is_guid(self.user_name)

    @property
    def is_complete(self) -> bool:
        """Return whether there is all that is needed to log in."""
        return bool(self.secret and (self.user_name or self.kind == LoginKind.MICROSOFT))

    def with_renewed(self, answer: Mapping[str, object]) -> Self:
        """Return the login with the refresh token of an authority's answer, which is kept."""
        token = answer.get("refresh_token")
        if self.kind != LoginKind.MICROSOFT or not isinstance(token, str):
            return self
        if not token or token == self.secret:
            return self
        self.keeper.renewed(token)
        return replace(self, secret=token)


def is_guid(text: str) -> bool:
    """Return whether the text is a GUID, as client ids are."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
