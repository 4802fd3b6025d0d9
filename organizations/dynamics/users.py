"""Who the caller is to a query: user, business unit and teams, as WhoAmI tells them."""

from __future__ import annotations

from dataclasses import replace

from organizations.dynamics.codec.properties import metadata_id
from organizations.models import Organization
from organizations.query.context import User
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.store import Store

_UNIT, _PARENT, _OWN_UNIT = "businessunit", "parentbusinessunitid", "businessunitid"
_USER, _MEMBERS = "systemuser", "teammembership"


def completed(store: Store, user: User) -> User:
    """Return a user with the business unit and the teams that the organization knows."""
    return replace(
        user,
        business_unit_id=business_unit(store, user.id),
        team_ids=tuple(_teams(store, user.id)),
    )


def business_unit(store: Store, user_id: str) -> str:
    """Return the user's business unit; for a user without one that of the organization."""
    if _has(store, _USER, _OWN_UNIT):
        for row in store.fetch(_USER, [_OWN_UNIT], [user_id]):
            if row[0] is not None:
                return str(row[0])
    return _root_unit(store, store.organization)


def _root_unit(store: Store, organization: Organization) -> str:
    """Return the business unit without a parent; where there is none, always the same id."""
    if _has(store, _UNIT, _PARENT):
        top = Condition(_PARENT, Operator.NULL)
        query = Query(entity=_UNIT, filter=Group(Logic.AND, (top,)))
        for row in store.page(_UNIT, [f"{_UNIT}id"], filter=query, limit=1):
            return str(row[0])
    return metadata_id(_UNIT, str(organization.pk))


def _teams(store: Store, user_id: str) -> list[str]:
    if not (_has(store, _MEMBERS, "systemuserid") and _has(store, _MEMBERS, "teamid")):
        return []
    own = Condition("systemuserid", Operator.EQ, (user_id,))
    query = Query(entity=_MEMBERS, filter=Group(Logic.AND, (own,)))
    return [str(row[0]) for row in store.page(_MEMBERS, ["teamid"], filter=query)]


def _has(store: Store, entity: str, attribute: str) -> bool:
    if not store.catalog.enabled(entity):
        return False
    found = store.catalog.entity(entity).attribute(attribute)
    return found is not None and found.is_stored
