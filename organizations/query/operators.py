"""The table of condition operators: how many values each takes, and of which attributes.

**Null, decided here once for every back end.** A positive operator never matches null (but
`null`). A negative one (`ne`, `not-in`, `not-like`, `not-on`…) is the exact complement of its
positive one, so it matches null: `<condition attribute="a" operator="ne" value="1"/>` returns
records whose `a` is empty. Dataverse behaves so for `ne` (reported by makers of FetchXML tools);
for the other negative operators it is assumed. Comparing two attributes follows the same rule.
A linked record that is not there (outer link) has null in every attribute.

Sources: the published list of FetchXML operators with their data types; Resco's sync filters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from organizations.query.nodes import Operator
from organizations.schema import Attribute, AttributeType


class Kind(StrEnum):
    """What values of an attribute can be compared with."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "yes or no"
    DATE = "date"
    ID = "id"
    CHOICES = "choices"
    OPAQUE = "opaque"


class Arity(StrEnum):
    """How many values a condition has; AMOUNT is one whole number above zero."""

    NONE = "no value"
    ONE = "one value"
    TWO = "two values"
    SOME = "at least one value"
    AMOUNT = "a whole number above 0"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is known of one operator; `negates` is the operator it is the complement of."""

    arity: Arity
    kinds: frozenset[Kind]
    negates: Operator | None = None
    is_relative: bool = False
    needs_user: bool = False
    is_hierarchical: bool = False


_KINDS = {
    AttributeType.STRING: Kind.TEXT,
    AttributeType.MEMO: Kind.TEXT,
    AttributeType.BOOLEAN: Kind.BOOLEAN,
    AttributeType.DATETIME: Kind.DATE,
    AttributeType.UNIQUEIDENTIFIER: Kind.ID,
    AttributeType.LOOKUP: Kind.ID,
    AttributeType.CUSTOMER: Kind.ID,
    AttributeType.OWNER: Kind.ID,
    AttributeType.MULTISELECT: Kind.CHOICES,
    AttributeType.INTEGER: Kind.NUMBER,
    AttributeType.BIGINT: Kind.NUMBER,
    AttributeType.DECIMAL: Kind.NUMBER,
    AttributeType.DOUBLE: Kind.NUMBER,
    AttributeType.MONEY: Kind.NUMBER,
    AttributeType.PICKLIST: Kind.NUMBER,
    AttributeType.STATE: Kind.NUMBER,
    AttributeType.STATUS: Kind.NUMBER,
}


def kind_of(attribute: Attribute) -> Kind:
    """Return the kind of an attribute's values; what nothing compares with (parties) is OPAQUE."""
    return _KINDS.get(attribute.type, Kind.OPAQUE)


_ALL = frozenset(Kind)
_EQUAL = frozenset(Kind) - {Kind.OPAQUE}
_ORDERED = frozenset({Kind.TEXT, Kind.NUMBER, Kind.DATE, Kind.ID})
_TEXT = frozenset({Kind.TEXT})
_RANGE = frozenset({Kind.NUMBER, Kind.DATE})
_DATE = frozenset({Kind.DATE})
_ID = frozenset({Kind.ID})
_CHOICES = frozenset({Kind.CHOICES})

RULES: dict[Operator, Rule] = {
    Operator.EQ: Rule(Arity.ONE, _EQUAL),
    Operator.NE: Rule(Arity.ONE, _EQUAL, Operator.EQ),
    Operator.GT: Rule(Arity.ONE, _ORDERED),
    Operator.GE: Rule(Arity.ONE, _ORDERED),
    Operator.LT: Rule(Arity.ONE, _ORDERED),
    Operator.LE: Rule(Arity.ONE, _ORDERED),
    Operator.LIKE: Rule(Arity.ONE, _TEXT),
    Operator.NOT_LIKE: Rule(Arity.ONE, _TEXT, Operator.LIKE),
    Operator.BEGINS_WITH: Rule(Arity.ONE, _TEXT),
    Operator.NOT_BEGIN_WITH: Rule(Arity.ONE, _TEXT, Operator.BEGINS_WITH),
    Operator.ENDS_WITH: Rule(Arity.ONE, _TEXT),
    Operator.NOT_END_WITH: Rule(Arity.ONE, _TEXT, Operator.ENDS_WITH),
    Operator.IN: Rule(Arity.SOME, _EQUAL),
    Operator.NOT_IN: Rule(Arity.SOME, _EQUAL, Operator.IN),
    Operator.BETWEEN: Rule(Arity.TWO, _RANGE),
    Operator.NOT_BETWEEN: Rule(Arity.TWO, _RANGE, Operator.BETWEEN),
    Operator.NULL: Rule(Arity.NONE, _ALL),
    Operator.NOT_NULL: Rule(Arity.NONE, _ALL, Operator.NULL),
    Operator.CONTAIN_VALUES: Rule(Arity.SOME, _CHOICES),
    Operator.NOT_CONTAIN_VALUES: Rule(Arity.SOME, _CHOICES, Operator.CONTAIN_VALUES),
    Operator.ON: Rule(Arity.ONE, _DATE),
    Operator.NOT_ON: Rule(Arity.ONE, _DATE, Operator.ON),
    Operator.ON_OR_BEFORE: Rule(Arity.ONE, _DATE),
    Operator.ON_OR_AFTER: Rule(Arity.ONE, _DATE),
    Operator.ABOVE: Rule(Arity.ONE, _ID, is_hierarchical=True),
    Operator.EQ_OR_ABOVE: Rule(Arity.ONE, _ID, is_hierarchical=True),
    Operator.UNDER: Rule(Arity.ONE, _ID, is_hierarchical=True),
    Operator.EQ_OR_UNDER: Rule(Arity.ONE, _ID, is_hierarchical=True),
    Operator.NOT_UNDER: Rule(Arity.ONE, _ID, Operator.UNDER, is_hierarchical=True),
    Operator.EQ_USERID: Rule(Arity.NONE, _ID, needs_user=True),
    Operator.NE_USERID: Rule(Arity.NONE, _ID, Operator.EQ_USERID, needs_user=True),
    Operator.EQ_USERTEAMS: Rule(Arity.NONE, _ID, needs_user=True),
    Operator.EQ_USEROROWNEDTEAMS: Rule(Arity.NONE, _ID, needs_user=True),
    Operator.EQ_BUSINESSID: Rule(Arity.NONE, _ID, needs_user=True),
    Operator.NE_BUSINESSID: Rule(Arity.NONE, _ID, Operator.EQ_BUSINESSID, needs_user=True),
    Operator.EQ_CUSTOMERUSERID: Rule(Arity.NONE, _ID, needs_user=True),
}


def _relative(operator: Operator) -> Rule:
    arity = Arity.AMOUNT if "-x-" in operator else Arity.NONE
    return Rule(arity, _DATE, is_relative=True)


RULES.update({operator: _relative(operator) for operator in Operator if operator not in RULES})

COLUMN_OPERATORS = frozenset(
    {Operator.EQ, Operator.NE, Operator.GT, Operator.GE, Operator.LT, Operator.LE}
)
"""Operators that can compare two attributes of a record (Dataverse: `valueof`)."""
