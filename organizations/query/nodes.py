"""A query as a value: what FetchXML, OData and the admin's search all become.

Nodes are frozen and know no syntax and no database. Readers make them (`fetchxml_reader`),
writers print them (`fetchxml_writer`), back ends evaluate them (`sql` on hosted tables,
`matcher` on one record in memory, which is the oracle in tests).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Scalar = str | int | float | bool


class Operator(StrEnum):
    """Condition operators by their FetchXML names (resco.md 4.6; Dataverse documentation).

    Operators of the signed-in user (eq-userid and its kin) are understood by the reader and
    refused with a clear message where no user is known.
    """

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"
    LIKE = "like"
    NOT_LIKE = "not-like"
    BEGINS_WITH = "begins-with"
    NOT_BEGIN_WITH = "not-begin-with"
    ENDS_WITH = "ends-with"
    NOT_END_WITH = "not-end-with"
    IN = "in"
    NOT_IN = "not-in"
    BETWEEN = "between"
    NOT_BETWEEN = "not-between"
    NULL = "null"
    NOT_NULL = "not-null"
    CONTAIN_VALUES = "contain-values"
    NOT_CONTAIN_VALUES = "not-contain-values"
    ON = "on"
    NOT_ON = "not-on"
    ON_OR_BEFORE = "on-or-before"
    ON_OR_AFTER = "on-or-after"
    TODAY = "today"
    YESTERDAY = "yesterday"
    TOMORROW = "tomorrow"
    THIS_WEEK = "this-week"
    LAST_WEEK = "last-week"
    NEXT_WEEK = "next-week"
    LAST_SEVEN_DAYS = "last-seven-days"
    NEXT_SEVEN_DAYS = "next-seven-days"
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    NEXT_MONTH = "next-month"
    THIS_YEAR = "this-year"
    LAST_YEAR = "last-year"
    NEXT_YEAR = "next-year"
    LAST_X_HOURS = "last-x-hours"
    NEXT_X_HOURS = "next-x-hours"
    LAST_X_DAYS = "last-x-days"
    NEXT_X_DAYS = "next-x-days"
    LAST_X_WEEKS = "last-x-weeks"
    NEXT_X_WEEKS = "next-x-weeks"
    LAST_X_MONTHS = "last-x-months"
    NEXT_X_MONTHS = "next-x-months"
    LAST_X_YEARS = "last-x-years"
    NEXT_X_YEARS = "next-x-years"
    OLDERTHAN_X_MINUTES = "olderthan-x-minutes"
    OLDERTHAN_X_HOURS = "olderthan-x-hours"
    OLDERTHAN_X_DAYS = "olderthan-x-days"
    OLDERTHAN_X_WEEKS = "olderthan-x-weeks"
    OLDERTHAN_X_MONTHS = "olderthan-x-months"
    OLDERTHAN_X_YEARS = "olderthan-x-years"
    ABOVE = "above"
    EQ_OR_ABOVE = "eq-or-above"
    UNDER = "under"
    EQ_OR_UNDER = "eq-or-under"
    NOT_UNDER = "not-under"
    EQ_USERID = "eq-userid"
    NE_USERID = "ne-userid"
    EQ_USERTEAMS = "eq-userteams"
    EQ_USEROROWNEDTEAMS = "eq-useroruserteams"
    EQ_BUSINESSID = "eq-businessid"
    NE_BUSINESSID = "ne-businessid"
    EQ_CUSTOMERUSERID = "eq-customeruserid"


class Logic(StrEnum):
    """How the children of a group combine."""

    AND = "and"
    OR = "or"


class LinkType(StrEnum):
    """Whether a parent without linked record is left out (inner) or kept (outer)."""

    INNER = "inner"
    OUTER = "outer"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. `values` has as many members as the operator takes (any number for `in`).

    `alias` names the link whose attribute is meant; empty = the entity the filter stands in.
    `value_of` names another attribute of the same entity to compare with, instead of a value.
    """

    attribute: str
    operator: Operator
    values: tuple[Scalar, ...] = ()
    alias: str = ""
    value_of: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Members combined by one logic; with `is_negative` its complement. An empty group is true."""

    logic: Logic = Logic.AND
    children: tuple[Member, ...] = ()
    is_negative: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether a record linked by `link` is there that passes the link's filter and links.

    The link starts from the entity the condition stands in, or from the link known as `alias`.
    What is inside knows no alias of outside. With `is_negative`: whether there is none.
    """

    link: Link
    is_negative: bool = False
    alias: str = ""


Member = Condition | Group | Exists
"""What a filter is made of."""

ALL = Group()


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key; nulls sort first ascending and last descending.

    `alias` names the link whose attribute is meant; in an aggregate query it is the alias of a
    selection, and `attribute` is empty.
    """

    attribute: str
    descending: bool = False
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """One attribute to return, under `alias` if given; with an aggregate or a grouping if set.

    `aggregate` is count, countcolumn, sum, avg, min or max; `date_grouping` is day to year.
    """

    attribute: str
    alias: str = ""
    aggregate: str = ""
    group_by: bool = False
    date_grouping: str = ""
    distinct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A linked entity: its attribute `from_attribute` equals the parent's `to_attribute`."""

    entity: str
    from_attribute: str
    to_attribute: str
    alias: str = ""
    type: LinkType = LinkType.INNER
    filter: Group = ALL
    links: tuple[Link, ...] = ()
    select: tuple[Selection, ...] = ()
    select_all: bool = False
    order: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A whole query. `select` empty with `select_all` false means the primary id only.

    `page` counts from 1; `count` is the page's size, None for the server's default. `top` limits
    the whole answer. `cookie` continues after the last record of an earlier page.
    """

    entity: str
    filter: Group = ALL
    links: tuple[Link, ...] = ()
    order: tuple[Order, ...] = ()
    select: tuple[Selection, ...] = ()
    select_all: bool = False
    distinct: bool = False
    aggregate: bool = False
    page: int = 1
    count: int | None = None
    top: int | None = None
    cookie: str = ""
