"""Hypothesis strategies: records of the test entities, and queries about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from organizations.query.context import Context, User
from organizations.query.nodes import (
    ALL,
    Condition,
    Exists,
    Group,
    Link,
    LinkType,
    Logic,
    Operator,
    Query,
    Scalar,
    Selection,
)
from organizations.query.operators import COLUMN_OPERATORS, RULES, Arity, Kind, kind_of
from organizations.schema import Attribute, AttributeType, DateBehavior, Entity
from tests.organizations.query.tables import ACCOUNT, CONTACT, ENTITIES, TASK, Records

IDS = [str(UUID(int=number)) for number in range(1, 9)]
NOW = datetime(2024, 3, 31, 13, 20, 45, 123456, tzinfo=UTC)
ZONES = (
    UTC,
    ZoneInfo("Europe/Bratislava"),
    ZoneInfo("Asia/Kolkata"),
    timezone(timedelta(hours=-9)),
)
TEXTS = [
    "a",
    "A",
    "ä",
    "Ä",
    "ab",
    "aB",
    "a%",
    "a_b",
    "[x]",
    "]",
    "İ",
    "i",
    "ΣΑς",
    "b\nc",
    "\\",
    "-",
]
PIECES = ["a", "A", "b", "ä", "%", "_", "[a-c]", "[^a]", "[%]", "[", "]", "\\", "\n", "-", "^", "Σ"]
NUMBERS = [-1, 0, 1, 2, 3]
DECIMALS = ["-1.50", "0.00", "0.10", "2.00", "1.01"]
FLOATS = [-0.5, 0.0, 0.1, 2.0]
CHOICES = ["1", "1,2", "2,3", "12"]

contexts = st.builds(
    Context,
    now=st.sampled_from([NOW, NOW.replace(day=1, hour=0), NOW.replace(month=2, day=29)]),
    zone=st.sampled_from(ZONES),
    user=st.just(User(id=IDS[0], team_ids=(IDS[1], IDS[2]), business_unit_id=IDS[3])),
)


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    days = draw(st.sampled_from([-800, -365, -62, -31, -8, -7, -2, -1, 0, 1, 2, 7, 31, 366]))
    hours = draw(st.sampled_from([-14, -13, -3, -2, -1, 0, 1, 2, 10, 11]))
    whole = draw(st.booleans())
    moment = NOW.replace(microsecond=0) + timedelta(days=days, hours=hours)
    return moment.replace(hour=0, minute=0, second=0) if whole else moment


def text_of(attribute: Attribute, moment: datetime) -> str:
    if attribute.date_behavior is DateBehavior.DATE_ONLY:
        return moment.date().isoformat()
    if attribute.date_behavior is DateBehavior.TIME_ZONE_INDEPENDENT:
        return moment.replace(tzinfo=None).isoformat()
    return moment.isoformat().replace("+00:00", "Z")


@cache
def canonical(attribute: Attribute) -> st.SearchStrategy[Any]:
    """Return canonical values of an attribute, null among them."""
    kind = kind_of(attribute)
    found: st.SearchStrategy[Any] = {
        Kind.TEXT: st.sampled_from(TEXTS),
        Kind.NUMBER: st.sampled_from(_numbers(attribute)),
        Kind.BOOLEAN: st.booleans(),
        Kind.ID: st.sampled_from(IDS),
        Kind.CHOICES: st.sampled_from(CHOICES),
        Kind.DATE: moments().map(lambda moment: text_of(attribute, moment)),
    }[kind]
    return st.none() | found


def _numbers(attribute: Attribute) -> Sequence[Any]:
    if attribute.type is AttributeType.MONEY:
        return [Decimal(text) for text in DECIMALS]
    return FLOATS if attribute.type is AttributeType.DOUBLE else NUMBERS


def usable(entity: Entity) -> list[Attribute]:
    """Return the attributes of an entity that have a column and can be compared."""
    return [item for item in entity.attributes if item.is_stored and not item.is_hidden]


def _rows(entity: Entity, minimum: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    members = {item.name: canonical(item) for item in usable(entity)}
    members[entity.primary_id] = st.sampled_from(IDS)
    return st.lists(
        st.fixed_dictionaries(members),
        min_size=minimum,
        max_size=4,
        unique_by=lambda row: str(row[entity.primary_id]),
    )


organizations: st.SearchStrategy[Records] = st.fixed_dictionaries(
    {"account": _rows(ACCOUNT, 2), "contact": _rows(CONTACT, 1), "task": _rows(TASK, 0)}
)


def make_assorted() -> list[dict[str, Any]]:
    """Return accounts that between them hold every text, number and choice, dates and nulls."""
    pools: dict[str, Sequence[Any]] = {item.name: _pool(item) for item in usable(ACCOUNT)}
    found = []
    for index in range(24):
        row = {name: pool[index % len(pool)] for name, pool in pools.items()}
        found.append(row | {"accountid": str(UUID(int=index + 1))})
    return found


def _pool(attribute: Attribute) -> Sequence[Any]:
    noon, midnight = NOW.replace(microsecond=0), NOW.replace(hour=0, minute=0, second=0)
    dates = [noon + timedelta(hours=hours) for hours in (-9000, -800, -37, -13, -1, 0, 11, 35)]
    dates += [
        midnight.replace(microsecond=0) + timedelta(days=days) for days in (-7, -1, 0, 1, 2, 32)
    ]
    pools: dict[Kind, Sequence[Any]] = {
        Kind.TEXT: TEXTS,
        Kind.BOOLEAN: [True, False],
        Kind.ID: IDS,
        Kind.CHOICES: CHOICES,
        Kind.DATE: [text_of(attribute, moment) for moment in dates],
    }
    return [None, *(pools.get(kind_of(attribute)) or _numbers(attribute))]


@cache
def values(attribute: Attribute) -> st.SearchStrategy[Scalar]:
    """Return values that a condition on an attribute may have, as FetchXML writes them."""
    found = canonical(attribute).filter(lambda value: value is not None)
    written = found.map(lambda value: str(value).lower() if value in (True, False) else str(value))
    if kind_of(attribute) is Kind.DATE:
        macros = st.sampled_from(["@@TODAY", "@@TODAY-1", "@@today+31", "2024-03-31"])
        return written | macros
    return st.one_of(st.just("1.005"), written) if attribute.precision else written


@st.composite
def _predicates(draw: st.DrawFn, entity: Entity, alias: str) -> Condition:
    attribute = draw(st.sampled_from(usable(entity)))
    operators = _operators(attribute)
    if entity is not ACCOUNT:
        operators = [one for one in operators if not RULES[one].is_hierarchical]
    operator = draw(st.sampled_from(operators))
    if operator in COLUMN_OPERATORS and draw(st.integers(0, 5)) == 0:
        others = [item.name for item in usable(entity) if _alike(item, attribute)]
        return Condition(
            attribute.name, operator, alias=alias, value_of=draw(st.sampled_from(others))
        )
    return Condition(attribute.name, operator, draw(_operands(attribute, operator)), alias)


@cache
def predicates(entity: str, alias: str = "") -> st.SearchStrategy[Condition]:
    """Return conditions on an entity's attributes, of every operator that works on them."""
    return _predicates(ENTITIES[entity], alias)


def _alike(one: Attribute, other: Attribute) -> bool:
    same = (kind_of(one), one.date_behavior) == (kind_of(other), other.date_behavior)
    return same and (one.type is AttributeType.DOUBLE) == (other.type is AttributeType.DOUBLE)


def _operators(attribute: Attribute) -> list[Operator]:
    is_day = attribute.date_behavior is DateBehavior.DATE_ONLY
    return [
        operator
        for operator, rule in RULES.items()
        if kind_of(attribute) in rule.kinds
        and (attribute.is_primary_id or not rule.is_hierarchical)
        and not (is_day and ("hours" in operator or "minutes" in operator))
    ]


@cache
def _operands(attribute: Attribute, operator: Operator) -> st.SearchStrategy[tuple[Any, ...]]:
    arity = RULES[operator].arity
    if arity is Arity.NONE:
        return st.just(())
    if arity is Arity.AMOUNT:
        return st.sampled_from(["1", "2", "13", "24", "31"]).map(lambda text: (text,))
    one = values(attribute)
    if operator.value.endswith(("like", "with")):
        one = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)
    if arity is Arity.ONE:
        return one.map(lambda value: (value,))
    bounds = (2, 2) if arity is Arity.TWO else (1, 3)
    return st.lists(one, min_size=bounds[0], max_size=bounds[1]).map(tuple)


@cache
def groups(
    conditions: st.SearchStrategy[Any], max_leaves: int = 5, *, with_negative: bool = False
) -> st.SearchStrategy[Group]:
    logic = st.sampled_from(Logic)
    negative = st.sampled_from([False, False, with_negative])

    def grouped(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Group]:
        members = st.lists(children, min_size=1, max_size=3).map(tuple)
        return st.builds(Group, logic, members, negative)

    return grouped(st.recursive(conditions, grouped, max_leaves=max_leaves))


def _seldom(group: st.SearchStrategy[Group]) -> st.SearchStrategy[Group]:
    return st.one_of(st.just(ALL), st.just(ALL), group)


def _link(entity: Entity, own: str, theirs: str, alias: str, **changes: Any) -> Any:
    return st.builds(
        Link,
        entity=st.just(entity.name),
        from_attribute=st.just(own),
        to_attribute=st.just(theirs),
        alias=st.just(alias),
        type=st.sampled_from(LinkType),
        filter=_seldom(groups(predicates(entity.name), 2)),
        select=st.just((Selection(entity.primary_id),)),
        **changes,
    )


_tasks = _link(TASK, "contactid", "contactid", "t")
_contacts = _link(
    CONTACT, "accountid", "accountid", "c", links=st.lists(_tasks, max_size=1).map(tuple)
)
_parents = _link(ACCOUNT, "accountid", "parentid", "p")
_namesakes = _link(ACCOUNT, "name", "name", "n")


def existences(alias: str, start: str) -> st.SearchStrategy[Exists]:
    """Return whether contacts are there (of accounts), or tasks (of contacts), with their own."""
    inner = groups(predicates("task"), 2)
    tasks = _link(TASK, "contactid", "contactid", "it")
    if start == "contact":
        link = st.builds(
            Link,
            entity=st.just("task"),
            from_attribute=st.just("contactid"),
            to_attribute=st.just("contactid"),
            filter=inner,
        )
        return st.builds(Exists, link, st.booleans(), st.just(alias))
    nested = st.deferred(lambda: existences("", "contact"))
    link = st.builds(
        Link,
        entity=st.just("contact"),
        from_attribute=st.just("accountid"),
        to_attribute=st.just("accountid"),
        filter=_seldom(groups(predicates("contact") | nested, 2, with_negative=True)),
        links=st.lists(tasks, max_size=1).map(tuple),
    )
    return st.builds(Exists, link, st.booleans(), st.just(alias))


@st.composite
def wide_queries(draw: st.DrawFn) -> Query:
    """Return queries that also ask for the existence of linked records, and for opposites."""
    query = draw(queries())
    members = [existences("", "account"), predicates("account")]
    members += [existences(link.alias, "contact") for link in query.links if link.alias == "c"]
    members += [existences(link.alias, "account") for link in query.links if link.alias == "p"]
    extra = draw(groups(st.one_of(*members), 3, with_negative=True))
    return replace(query, filter=Group(Logic.AND, (extra, query.filter)))


@st.composite
def queries(draw: st.DrawFn) -> Query:
    links = [draw(one) for one in (_contacts, _parents, _namesakes) if draw(st.integers(0, 2)) == 0]
    conditions = [predicates("account")]
    for link in links:
        conditions.append(predicates(link.entity, link.alias))
        conditions += [predicates("task", nested.alias) for nested in link.links]
    one = st.one_of(*conditions)
    alone = one.map(lambda condition: Group(Logic.AND, (condition,)))
    return Query(
        entity="account", links=tuple(links), filter=draw(st.one_of(alone, alone, groups(one)))
    )
