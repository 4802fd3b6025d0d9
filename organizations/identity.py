"""Who a member of an organization is among its records: the system user of the same name."""

from __future__ import annotations

from organizations.models import Member
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.store.reader import Reader

USER = "systemuser"
_NAMES = ("internalemailaddress", "domainname")


def user_id(reader: Reader, member: Member) -> str:
    """Return the id of the member's system user, or the member's own where there is none."""
    conditions = tuple(
        Condition(name, Operator.EQ, (member.email,)) for name in _NAMES if _has(reader, name)
    )
    if conditions:
        query = Query(entity=USER, filter=Group(Logic.OR, conditions))
        key = reader.catalog.entity(USER).primary_id
        for row in reader.page(USER, [key], filter=query, limit=1):
            return str(row[0])
    return str(member.pk)


def _has(reader: Reader, name: str) -> bool:
    if not reader.catalog.enabled(USER):
        return False
    found = reader.catalog.entity(USER).attribute(name)
    return found is not None and found.is_stored and not found.is_hidden
