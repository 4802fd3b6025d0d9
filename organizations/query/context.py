"""What a query is evaluated against besides records: the moment, the zone and the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from organizations.schema import ENGLISH


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """The person whose eyes a query looks through: ids, lower case.

    `customer_id` is the external (portal) user that Resco's `eq-customeruserid` compares with.
    `look_up` gives the user with business unit and teams, when a query asks for them.
    """

    id: str
    business_unit_id: str | None = None
    team_ids: tuple[str, ...] = ()
    customer_id: str | None = None
    look_up: Callable[[], User] | None = field(default=None, compare=False)

    @property
    def whole(self) -> User:
        """Return the user with all that is known."""
        return self if self.look_up is None else self.look_up()


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The moment (aware), the user's time zone, the user and the LCID of the user's language.

    Relative dates mean days of `zone`. Without `user`, operators of the signed-in user are
    refused.
    """

    now: datetime = field(default_factory=_now)
    zone: tzinfo = UTC
    user: User | None = None
    language: int = ENGLISH

    def __post_init__(self) -> None:
        """Refuse a moment without a zone: it would silently mean another one."""
        if self.now.tzinfo is None:
            raise ValueError("Context.now needs a time zone.")
