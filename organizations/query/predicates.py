"""Conditions reduced to a handful of tests, so that every back end means the same by them.

A condition becomes one test on one attribute, and whether its complement is meant (see
`operators` for what that says about null). Values are comparable values of `literals`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import cast

from organizations.errors import InvalidRequest
from organizations.query import windows
from organizations.query.context import Context, User
from organizations.query.like import Pattern, pattern
from organizations.query.literals import Comparable, literal
from organizations.query.nodes import Condition, Operator
from organizations.query.operators import COLUMN_OPERATORS, RULES, Arity, Kind, Rule, kind_of
from organizations.schema import Attribute, AttributeType, DateBehavior, Entity


@dataclass(frozen=True, slots=True)
class IsNull:
    """The attribute is null."""


@dataclass(frozen=True, slots=True)
class Compare:
    """The attribute is equal to, above or below a value: `operator` is eq, gt, ge, lt or le."""

    operator: Operator
    value: Comparable


@dataclass(frozen=True, slots=True)
class CompareColumns:
    """The attribute is equal to, above or below another attribute of the same record."""

    operator: Operator
    other: Attribute


@dataclass(frozen=True, slots=True)
class OneOf:
    """The attribute has one of the values."""

    values: tuple[Comparable, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """The attribute is at least `low`, and below `high` or equal to it if closed; None = open."""

    low: Comparable | None
    high: Comparable | None
    is_closed: bool = True


@dataclass(frozen=True, slots=True)
class Like:
    """The text fits the pattern."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Contains:
    """The multi-select has at least one of the values (decimal digits)."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The record stands below the one with this id, or above it, by the lookup to its parent.

    With `with_itself` the one with the id counts too.
    """

    id: str
    parent: Attribute
    is_below: bool
    with_itself: bool


Test = IsNull | Compare | CompareColumns | OneOf | Within | Like | Contains | Hierarchy


@dataclass(frozen=True, slots=True)
class Predicate:
    """One test on one attribute; `is_negative` means its complement, null included."""

    attribute: Attribute
    test: Test
    is_negative: bool = False


_CLOCK = frozenset(
    {
        Operator.LAST_X_HOURS,
        Operator.NEXT_X_HOURS,
        Operator.OLDERTHAN_X_HOURS,
        Operator.OLDERTHAN_X_MINUTES,
    }
)


def predicate(
    condition: Condition,
    attribute: Attribute,
    other: Attribute | None,
    context: Context,
    entity: Entity,
) -> Predicate:
    """Reduce a condition on `attribute`; `other` is the attribute that `value_of` names.

    Raises InvalidRequest that names the attribute and what it cannot do.
    """
    rule = RULES[condition.operator]
    _check(condition, attribute, rule)
    positive = rule.negates or condition.operator
    if other is not None:
        test: Test = _columns(condition, positive, attribute, other)
    elif rule.is_hierarchical:
        check_arity(condition)
        test = _hierarchy(condition, positive, attribute, entity, context)
    else:
        check_arity(condition)
        test = _test(condition, positive, attribute, context)
    return Predicate(attribute, test, rule.negates is not None)


def _check(condition: Condition, attribute: Attribute, rule: Rule) -> None:
    kind = kind_of(attribute)
    if kind not in rule.kinds:
        raise _refuse(
            f"Operator '{condition.operator}' does not work on attribute '{attribute.name}' "
            f"of type {attribute.type}."
        )
    is_day = kind is Kind.DATE and attribute.date_behavior is DateBehavior.DATE_ONLY
    if is_day and condition.operator in _CLOCK:
        raise _refuse(
            f"Operator '{condition.operator}' counts hours or minutes and attribute "
            f"'{attribute.name}' holds days only."
        )


def check_arity(condition: Condition) -> None:
    """Raise InvalidRequest unless the condition has as many values as its operator takes."""
    rule, count = RULES[condition.operator], len(condition.values)
    fits = {
        Arity.NONE: count == 0,
        Arity.ONE: count == 1,
        Arity.TWO: count == 2,
        Arity.SOME: count > 0,
        Arity.AMOUNT: count == 1,
    }
    if not fits[rule.arity]:
        raise _refuse(
            f"Operator '{condition.operator}' on attribute '{condition.attribute}' takes "
            f"{rule.arity}, not {count}."
        )
    if rule.arity is Arity.AMOUNT:
        amount(condition)


def amount(condition: Condition) -> int:
    """Return the x of an operator such as last-x-days: a whole number above zero."""
    text = str(condition.values[0]).strip()
    if not (text.isascii() and text.isdigit() and int(text[:10]) > 0 and len(text) <= 10):
        raise _refuse(
            f"Operator '{condition.operator}' on attribute '{condition.attribute}' takes "
            f"{Arity.AMOUNT}, not '{text[:80]}'."
        )
    return int(text)


def _columns(
    condition: Condition, positive: Operator, attribute: Attribute, other: Attribute
) -> Test:
    if condition.operator not in COLUMN_OPERATORS:
        raise _refuse(f"Operator '{condition.operator}' cannot compare two attributes.")
    if _comparability(attribute) != _comparability(other):
        raise _refuse(
            f"Attributes '{attribute.name}' and '{other.name}' are of different types "
            "and cannot be compared."
        )
    return CompareColumns(positive, other)


def _comparability(attribute: Attribute) -> tuple[object, ...]:
    kind = kind_of(attribute)
    behavior = attribute.date_behavior if kind is Kind.DATE else None
    return kind, behavior, attribute.type is AttributeType.DOUBLE


def _hierarchy(
    condition: Condition,
    positive: Operator,
    attribute: Attribute,
    entity: Entity,
    context: Context,
) -> Hierarchy:
    if attribute.name != entity.primary_id:
        raise _refuse(
            f"Operator '{condition.operator}' works on '{entity.primary_id}' of '{entity.name}', "
            f"not on '{attribute.name}'."
        )
    parent = _parent(entity)
    if parent is None:
        raise _refuse(
            f"Operator '{condition.operator}' needs a hierarchy, and entity '{entity.name}' has "
            "no hierarchical relationship with itself."
        )
    return Hierarchy(
        str(literal(attribute, condition.values[0], context)),
        parent,
        is_below=positive in (Operator.UNDER, Operator.EQ_OR_UNDER),
        with_itself=positive in (Operator.EQ_OR_ABOVE, Operator.EQ_OR_UNDER),
    )


def _parent(entity: Entity) -> Attribute | None:
    """Return the lookup of the hierarchy; where none is marked, the only one to the entity."""
    marked = [
        one.referencing_attribute
        for one in entity.many_to_one
        if one.is_hierarchical and one.referenced_entity == entity.name
    ]
    own = [one.name for one in entity.attributes if one.targets == (entity.name,)]
    found = entity.attribute(marked[0] if marked else own[0]) if marked or len(own) == 1 else None
    return found if found is not None and found.is_stored else None


def _test(condition: Condition, positive: Operator, attribute: Attribute, context: Context) -> Test:
    rule = RULES[positive]
    if positive is Operator.NULL:
        return IsNull()
    if rule.needs_user:
        return OneOf(_user_ids(condition, positive, context))
    if rule.is_relative:
        x = amount(condition) if rule.arity is Arity.AMOUNT else 0
        return _within(windows.window(positive, x, context), attribute, context)
    if positive in _PATTERNS:
        text = str(literal(attribute, condition.values[0], context))
        return Like(pattern(_PATTERNS[positive].format(text)))
    values = tuple(literal(attribute, value, context) for value in condition.values)
    return _valued(positive, values, attribute, context)


_PATTERNS = {
    Operator.LIKE: "{}",
    Operator.BEGINS_WITH: "{}%",
    Operator.ENDS_WITH: "%{}",
}


def _valued(
    positive: Operator, values: tuple[Comparable, ...], attribute: Attribute, context: Context
) -> Test:
    if positive is Operator.IN:
        return OneOf(values)
    if positive is Operator.BETWEEN:
        return Within(values[0], values[1])
    if positive is Operator.CONTAIN_VALUES:
        return Contains(tuple(sorted({part for text in values for part in _parts(text)})))
    if positive in (Operator.ON, Operator.ON_OR_BEFORE, Operator.ON_OR_AFTER):
        span = windows.of_day(positive, _day(values[0], context))
        return _within(span, attribute, context)
    return Compare(positive, values[0])


def _parts(text: Comparable) -> list[str]:
    return [part for part in str(text).split(",") if part]


def _day(value: Comparable, context: Context) -> date:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return windows.local(value, context)
    return cast(date, value)


def _within(span: windows.Window, attribute: Attribute, context: Context) -> Within:
    low, high, is_closed = span.start, span.end, span.is_closed
    if attribute.date_behavior is DateBehavior.DATE_ONLY:
        return _days_within(low, high, is_closed)
    if attribute.date_behavior is DateBehavior.TIME_ZONE_INDEPENDENT:
        return Within(low, high, is_closed)
    return Within(_instant(low, context), _instant(high, context), is_closed)


def _instant(moment: datetime | None, context: Context) -> datetime | None:
    try:
        return moment and moment.replace(tzinfo=context.zone).astimezone(UTC)
    except OverflowError as error:
        raise _refuse(f"{moment} is beyond the calendar.") from error


def _days_within(low: datetime | None, high: datetime | None, is_closed: bool) -> Within:
    """Return the days whose midnight lies in the span."""
    first = None
    if low is not None:
        first = low.date() if low == windows.day(low) else low.date() + timedelta(days=1)
    last = None
    if high is not None:
        excluded = high == windows.day(high) and not is_closed
        last = high.date() - timedelta(days=1) if excluded else high.date()
    return Within(first, last)


def _user_ids(condition: Condition, positive: Operator, context: Context) -> tuple[str, ...]:
    if context.user is None:
        raise _refuse(
            f"Operator '{condition.operator}' on attribute '{condition.attribute}' needs a "
            "signed-in user, and there is none here. Name the user or team by id instead."
        )
    return tuple(found.lower() for found in _of_user(positive, context.user) if found)


def _of_user(positive: Operator, user: User) -> tuple[str | None, ...]:
    if positive is Operator.EQ_USERID:
        return (user.id,)
    user = user.whole
    found: dict[Operator, tuple[str | None, ...]] = {
        Operator.EQ_USERTEAMS: user.team_ids,
        Operator.EQ_USEROROWNEDTEAMS: (user.id, *user.team_ids),
        Operator.EQ_BUSINESSID: (user.business_unit_id,),
        Operator.EQ_CUSTOMERUSERID: (user.customer_id,),
    }
    return found[positive]


def _refuse(message: str) -> InvalidRequest:
    return InvalidRequest(message, "condition")
