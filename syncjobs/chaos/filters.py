"""Sync filters of a world: as queries, and what they mean in words of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from organizations.query.nodes import Condition, Group, Link, Operator, Query
from organizations.records import Value
from syncjobs.chaos.schema import ACCOUNT, CONTACT

HOME, ABROAD = "Bratislava", "Wien"

Values = Mapping[str, Value]
Tables = Mapping[str, Mapping[str, Values]]
"""Entity → id → values."""


class SyncFilter(NamedTuple):
    """One filter: what the engine is given, and what the judge knows it to mean."""

    query: Query | None
    admits: Callable[[Tables, Values], bool]


def _at_home(tables: Tables, account: Value) -> bool:
    found = tables[ACCOUNT].get(str(account))
    return found is not None and found.get("city") == HOME


def _everything(tables: Tables, values: Values) -> bool:
    return True


def _own_city(tables: Tables, values: Values) -> bool:
    return values.get("city") == HOME


def _city_of_parent(tables: Tables, values: Values) -> bool:
    return _at_home(tables, values.get("parentaccountid"))


def _city_of_customer(tables: Tables, values: Values) -> bool:
    return _at_home(tables, values.get("parentcustomerid"))


_IS_HOME = Group(children=(Condition("city", Operator.EQ, (HOME,)),))


def _home_of(lookup: str) -> Link:
    return Link(entity=ACCOUNT, from_attribute="accountid", to_attribute=lookup, filter=_IS_HOME)


FILTERS: dict[str, tuple[SyncFilter, ...]] = {
    ACCOUNT: (
        SyncFilter(None, _everything),
        SyncFilter(Query(entity=ACCOUNT, filter=_IS_HOME), _own_city),
        SyncFilter(
            Query(
                entity=ACCOUNT,
                links=(_home_of("parentaccountid"),),
            ),
            _city_of_parent,
        ),
    ),
    CONTACT: (
        SyncFilter(None, _everything),
        SyncFilter(
            Query(
                entity=CONTACT,
                links=(_home_of("parentcustomerid"),),
            ),
            _city_of_customer,
        ),
    ),
}
"""Filters that an entity can have; the first is none."""

NO_FILTER = SyncFilter(None, _everything)
