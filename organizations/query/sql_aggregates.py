"""Aggregates in SQL: count, countcolumn, sum, avg, min, max, by groups and parts of dates.

Sources: Dataverse's page "Aggregate data" and its example: nulls are not considered, the sum of
nothing is 0, the average of whole numbers is a whole number, weeks start on Sunday and week 1
holds January 1st. Dates are taken apart in the user's zone. Groups of text ignore letter case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from psycopg import sql

from organizations.errors import InvalidRequest
from organizations.query.nodes import Order, Selection
from organizations.query.operators import Kind, kind_of
from organizations.query.scope import Source
from organizations.query.sql_columns import duplicate, of_source
from organizations.query.sql_filters import Aliases
from organizations.query.sql_order import direction
from organizations.query.sql_terms import BIGINT, COLLATION, TEXT, Build, Term, sql_type
from organizations.query.statements import OutputColumn
from organizations.schema import OPTION_TYPES, Attribute, ColumnPart, DateBehavior


@dataclass(frozen=True, slots=True)
class Summary:
    """One output of an aggregate: `groups` are its GROUP BY terms, `sort` what it sorts by."""

    term: Term
    column: OutputColumn
    sort: Term
    groups: tuple[Term, ...] = ()


AGGREGATES = ("count", "countcolumn", "sum", "avg", "min", "max")
DATE_GROUPINGS = ("day", "week", "month", "quarter", "year")


def summaries(build: Build, names: Aliases) -> list[Summary]:
    """Return the outputs of an aggregate query in the order of the sources."""
    result: list[Summary] = []
    seen: set[str] = set()
    for source in build.scope.sources:
        for selection in of_source(build, source):
            label = selection.alias or selection.attribute
            if label in seen:
                raise duplicate(label)
            seen.add(label)
            result += _summary(build, source, selection, label, names)
    if not result:
        raise InvalidRequest("An aggregate query needs an attribute element.", "fetch")
    return result


def _summary(
    build: Build, source: Source, selection: Selection, label: str, names: Aliases
) -> list[Summary]:
    attribute = source.attribute(selection.attribute, "attribute")
    if selection.group_by:
        return _groups(build, source, attribute, selection, label, names)
    if selection.aggregate not in AGGREGATES:
        raise InvalidRequest(
            f"Attribute '{attribute.name}' of an aggregate query needs groupby, or aggregate "
            f"with one of {', '.join(AGGREGATES)}; it has '{selection.aggregate}'.",
            "attribute",
        )
    term = build.comparable(source, attribute, names[source.number])
    made, typed = _aggregated(selection, attribute, term)
    column = OutputColumn(label, attribute if typed else None, source.entity.name)
    return [Summary(made, column, made)]


def _aggregated(selection: Selection, attribute: Attribute, term: Term) -> tuple[Term, bool]:
    aggregate = selection.aggregate
    if aggregate == "count":
        return sql.SQL("count(*)"), False
    if aggregate == "countcolumn":
        distinct = sql.SQL("DISTINCT " if selection.distinct else "")
        return sql.SQL("count({}{})").format(distinct, term), False
    _check(aggregate, attribute)
    if aggregate == "sum":
        return sql.SQL("coalesce(sum({}), 0)").format(term), True
    if aggregate == "avg" and sql_type(attribute) is BIGINT:
        return sql.SQL("trunc(avg({}))::bigint").format(term), True
    return sql.SQL("{}({})").format(sql.SQL(aggregate), term), True


def _check(aggregate: str, attribute: Attribute) -> None:
    kinds = {Kind.NUMBER} if aggregate in ("sum", "avg") else {Kind.NUMBER, Kind.DATE}
    if kind_of(attribute) not in kinds or attribute.type in OPTION_TYPES:
        raise InvalidRequest(
            f"Aggregate '{aggregate}' does not work on attribute '{attribute.name}' of type "
            f"{attribute.type}.",
            "attribute",
        )


def _groups(
    build: Build,
    source: Source,
    attribute: Attribute,
    selection: Selection,
    label: str,
    names: Aliases,
) -> list[Summary]:
    alias = names[source.number]
    term = build.comparable(source, attribute, alias)
    column = OutputColumn(label, attribute, source.entity.name)
    if selection.date_grouping:
        part = _date_part(build, selection, attribute, term)
        return [Summary(part, OutputColumn(label, None, source.entity.name), part, (part,))]
    if kind_of(attribute) is Kind.TEXT:
        raw = build.column(source, attribute, alias)
        shown = sql.SQL("min({} COLLATE {})").format(raw, COLLATION)
        return [Summary(shown, column, term, (term,))]
    if not attribute.is_polymorphic:
        return [Summary(term, column, term, (term,))]
    target = build.column(source, attribute, alias, ColumnPart.TARGET)
    pair = OutputColumn(label, attribute, source.entity.name, ColumnPart.TARGET)
    return [Summary(term, column, term, (term,)), Summary(target, pair, target, (target,))]


_PARTS = {
    "day": "extract(day FROM {0})::int",
    "week": "(extract(doy FROM {0})::int - 1"
    " + extract(dow FROM date_trunc('year', {0}::timestamp))::int) / 7 + 1",
    "month": "extract(month FROM {0})::int",
    "quarter": "extract(quarter FROM {0})::int",
    "year": "extract(year FROM {0})::int",
}


def _date_part(build: Build, selection: Selection, attribute: Attribute, term: Term) -> Term:
    part = _PARTS.get(selection.date_grouping)
    if part is None or kind_of(attribute) is not Kind.DATE:
        raise InvalidRequest(
            f"dategrouping '{selection.date_grouping}' does not work on attribute "
            f"'{attribute.name}' of type {attribute.type}. It is one of "
            f"{', '.join(DATE_GROUPINGS)}, on a date.",
            "attribute",
        )
    if attribute.date_behavior is DateBehavior.USER_LOCAL:
        term = sql.SQL("({} AT TIME ZONE {})").format(term, _zone(build))
    return sql.SQL(part).format(term)


def _zone(build: Build) -> Term:
    zone = build.context.zone
    if isinstance(zone, ZoneInfo) and zone.key:
        return build.bind(zone.key, TEXT)
    offset = timedelta(0) if zone is UTC else zone.utcoffset(build.context.now)
    return build.bind(offset, sql.SQL("interval"))


def group_by(found: list[Summary]) -> Term:
    """Return the GROUP BY clause, empty where everything is one group."""
    terms = [term for summary in found for term in summary.groups]
    return sql.SQL(" GROUP BY {}").format(sql.SQL(", ").join(terms)) if terms else sql.SQL("")


def order_by(build: Build, found: list[Summary]) -> Term:
    """Return the ORDER BY clause: the query's order by names of outputs, then the groups."""
    members = [direction(_ordered(order, found).sort, order.descending) for order in _orders(build)]
    members += [direction(summary.sort, False) for summary in found if summary.groups]
    return sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(members)) if members else sql.SQL("")


def _orders(build: Build) -> list[Order]:
    links = [source.link for source in build.scope.sources if source.link]
    return [*build.query.order, *(order for link in links for order in link.order)]


def _ordered(order: Order, found: list[Summary]) -> Summary:
    label = order.alias or order.attribute
    summary = next((one for one in found if one.column.name == label), None)
    if summary is None:
        raise InvalidRequest(
            f"order names '{label}', which the aggregate does not return. Use the alias of an "
            "attribute element.",
            "order",
        )
    return summary
