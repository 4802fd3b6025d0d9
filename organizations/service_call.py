"""One request of a member to a service of their organization, with all that answering it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest

from organizations import basic
from organizations.catalog import Catalog
from organizations.identity import user_id
from organizations.models import Member, Organization
from organizations.query.context import Context, User
from organizations.store import Store

CHALLENGE = basic.challenge("Resco Cloud")


@dataclass(frozen=True)
class ServiceCall:
    """A request of a member; `path` is what follows the organization."""

    request: HttpRequest
    member: Member
    path: str

    @property
    def organization(self) -> Organization:
        """Whose service it is."""
        return self.member.organization

    @cached_property
    def store(self) -> Store:
        """The organization's records."""
        return Store(self.organization, is_followed=False)

    @property
    def catalog(self) -> Catalog:
        """The organization's metadata."""
        return self.store.catalog

    @property
    def encoding_problem(self) -> str:
        """Why the body cannot be read as it was packed, '' where it is not packed."""
        packed = str(self.request.headers.get("Content-Encoding", "")).strip().lower()
        if packed in ("", "identity"):
            return ""
        return f"A body is not taken packed (Content-Encoding '{packed[:40]}'). Send it as it is."

    @cached_property
    def options(self) -> Mapping[str, str]:
        """The query options."""
        return {name: str(value) for name, value in self.request.GET.items()}

    @cached_property
    def context(self) -> Context:
        """Whose eyes a query looks through."""
        user = User(id=user_id(self.store, self.member))
        return Context(user=user, language=self.organization.language)
