"""From the address of a records page to a query: search, filters, order, columns, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from organizations.admin.display import name_column
from organizations.query.nodes import Condition, Group, Logic, Operator, Order, Query, Selection
from organizations.query.operators import RULES, Arity
from organizations.schema import Attribute, AttributeType, Entity

PAGE = 50
MOST_PAGES = 200
"""10,000 records can be leafed through; whoever needs others narrows the search."""
FILTERS = 3
DEFAULT_COLUMNS = 7
PREFERRED = (
    "emailaddress1",
    "telephone1",
    "address1_city",
    "parentcustomerid",
    "companyname",
    "subject",
    "scheduledstart",
    "regardingobjectid",
    "statecode",
    "ownerid",
    "modifiedon",
)
OPERATORS = {
    Operator.EQ: "equals",
    Operator.NE: "does not equal",
    Operator.LIKE: "contains",
    Operator.NOT_LIKE: "does not contain",
    Operator.BEGINS_WITH: "begins with",
    Operator.ENDS_WITH: "ends with",
    Operator.GT: "is greater than",
    Operator.GE: "is greater than or equal to",
    Operator.LT: "is less than",
    Operator.LE: "is less than or equal to",
    Operator.IN: "is one of (separated by ;)",
    Operator.NULL: "is empty",
    Operator.NOT_NULL: "has a value",
    Operator.CONTAIN_VALUES: "includes any of (separated by ;)",
    Operator.ON: "is on",
    Operator.ON_OR_AFTER: "is on or after",
    Operator.ON_OR_BEFORE: "is on or before",
    Operator.LAST_X_DAYS: "is in the last … days",
    Operator.THIS_MONTH: "is in this month",
    Operator.THIS_YEAR: "is in this year",
}
"""Operators by the words of the page."""
_SUBSTRING = (Operator.LIKE, Operator.NOT_LIKE)


@dataclass(frozen=True, slots=True)
class Filter:
    """One line of the filter: attribute, operator and value as typed."""

    attribute: str = ""
    operator: str = Operator.EQ
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Everything the address says; `order` is an attribute, with `-` for descending."""

    text: str = ""
    filters: tuple[Filter, ...] = ()
    order: str = ""
    columns: tuple[str, ...] = ()
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        """Whether records are looked for by anything but their id."""
        return bool(self.filters or (self.text and not _is_guid(self.text)))

    def link(self, **changes: Any) -> str:
        """Return the query string of this search with changes; another order is page 1 again."""
        other = replace(self, **changes)
        pairs = [("q", other.text), ("sort", other.order)]
        for found in other.filters:
            pairs += [("a", found.attribute), ("o", found.operator), ("v", found.value)]
        pairs += [("col", name) for name in other.columns]
        if other.page > 1:
            pairs.append(("p", str(other.page)))
        kept = [pair for pair in pairs if pair[1] or pair[0] == "v"]
        return f"?{urlencode(kept)}"


def read(asked: QueryDict, entity: Entity) -> Search:
    """Return the search of an address; names the entity does not have are left out."""
    lines = zip(asked.getlist("a"), asked.getlist("o"), asked.getlist("v"), strict=False)
    known = {attribute.name for attribute in offered(entity)}
    page = asked.get("p", "1")
    return Search(
        text=asked.get("q", "").strip(),
        filters=tuple(
            Filter(name, operator, value.strip())
            for name, operator, value in list(lines)[:FILTERS]
            if name in known and operator in OPERATORS
        ),
        order=order if (order := asked.get("sort", "")).removeprefix("-") in known else "",
        columns=tuple(name for name in asked.getlist("col") if name in known),
        page=max(1, min(MOST_PAGES, int(page))) if page.isdecimal() else 1,
    )


def offered(entity: Entity) -> list[Attribute]:
    """Return the attributes that can be shown, filtered and sorted by."""
    return [item for item in entity.attributes if item.is_stored and not item.is_hidden]


def query(entity: Entity, search: Search, lcid: int) -> Query:
    """Return the query of a search, with one page of rows."""
    wanted = [entity.primary_id, *columns(entity, search)]
    order = search.order.removeprefix("-")
    return Query(
        entity=entity.name,
        filter=Group(Logic.AND, _conditions(entity, search, lcid)),
        select=tuple(Selection(name) for name in dict.fromkeys(wanted)),
        order=(Order(order, search.order.startswith("-")),) if order else (),
        count=PAGE,
        page=search.page,
    )


def columns(entity: Entity, search: Search) -> list[str]:
    """Return the names of the columns to show, the name of the record first."""
    name = name_column(entity)
    stored = [item.name for item in offered(entity) if not item.is_primary_id]
    chosen = list(search.columns)
    if not chosen:
        preferred = [item for item in PREFERRED if item in stored]
        others = [item for item in stored if item not in preferred]
        chosen = (preferred + others)[: DEFAULT_COLUMNS - 1]
    return list(dict.fromkeys([*([name] if name else []), *chosen]))


def _conditions(entity: Entity, search: Search, lcid: int) -> tuple[Condition | Group, ...]:
    found: list[Condition | Group] = []
    if search.text:
        found.append(_matching(entity, search.text))
    for item in search.filters:
        attribute = entity.attribute(item.attribute)
        if attribute is not None:
            found.append(_condition(attribute, item, lcid))
    return tuple(found)


def _matching(entity: Entity, text: str) -> Group:
    """Match the record with that id, or those whose name, key or e-mail contains the text."""
    if _is_guid(text):
        return Group(Logic.OR, (Condition(entity.primary_id, Operator.EQ, (text,)),))
    pattern = _containing(text)
    names = [name for name in searched(entity)]
    if not names:
        return Group(Logic.AND, (Condition(entity.primary_id, Operator.NULL),))
    return Group(Logic.OR, tuple(Condition(name, Operator.LIKE, (pattern,)) for name in names))


def searched(entity: Entity) -> list[str]:
    """Return the attributes the search box looks into."""
    keys = {name for key in entity.keys for name in key.attributes}
    stored = {item.name: item for item in offered(entity)}
    wanted = [name_column(entity), *sorted(keys), "emailaddress1", "internalemailaddress"]
    texts = (AttributeType.STRING, AttributeType.MEMO)
    return [name for name in dict.fromkeys(wanted) if name in stored and stored[name].type in texts]


def _is_guid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _containing(text: str) -> str:
    """Return the pattern for text that is meant letter by letter: wildcards stand in brackets."""
    plain = "".join(f"[{letter}]" if letter in "%_[" else letter for letter in text)
    return f"%{plain}%"


def _condition(attribute: Attribute, item: Filter, lcid: int) -> Condition:
    operator = Operator(item.operator)
    arity = RULES[operator].arity
    if arity is Arity.NONE:
        return Condition(attribute.name, operator)
    if arity is Arity.SOME:
        parts = [part.strip() for part in item.value.split(";") if part.strip()]
        values = tuple(_number(attribute, part, lcid) for part in parts)
        return Condition(attribute.name, operator, values)
    if operator in _SUBSTRING:
        return Condition(attribute.name, operator, (_containing(item.value),))
    return Condition(attribute.name, operator, (_number(attribute, item.value, lcid),))


def _number(attribute: Attribute, text: str, lcid: int) -> str:
    """Return the number of a choice that was typed as its label; any other text as it is."""
    if attribute.option_set is None:
        return text
    labels: Mapping[str, int] = {
        option.label.text(lcid).casefold(): option.value for option in attribute.option_set.options
    }
    return str(labels.get(text.casefold(), text))
