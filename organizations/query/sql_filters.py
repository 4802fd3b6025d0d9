"""Filters and links in SQL: conditions, joins, and membership of a record in a query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg import sql

from organizations.query.analysis import conditions, existences
from organizations.query.nodes import Exists, Group, Logic, Member, Operator
from organizations.query.predicates import (
    Compare,
    CompareColumns,
    Contains,
    Hierarchy,
    IsNull,
    Like,
    OneOf,
    Test,
    Within,
)
from organizations.query.scope import (
    Bound,
    Source,
    bind,
    filter_of,
    hanging,
    join_attributes,
    start_of,
    within,
)
from organizations.query.sql_terms import (
    TEXT,
    TRUE,
    Build,
    Term,
    all_of,
    any_of,
    sql_type,
)

Aliases = dict[int, str]
"""The SQL alias of each source, by its number."""


def aliases(build: Build, prefix: str) -> Aliases:
    """Return one SQL alias per source."""
    return {source.number: f"{prefix}{source.number}" for source in build.scope.sources}


def filter_term(build: Build, source: Source, names: Aliases) -> Term:
    """Return the filter that stands in a source."""
    return _group(build, filter_of(source, build.query), source, names)


def _group(build: Build, group: Group, place: Source, names: Aliases) -> Term:
    if not group.children:
        return TRUE
    terms = [_child(build, child, place, names) for child in group.children]
    whole = all_of(terms) if group.logic is Logic.AND else any_of(terms)
    return sql.SQL("({}) IS NOT TRUE").format(whole) if group.is_negative else whole


def _child(build: Build, child: Member, place: Source, names: Aliases) -> Term:
    if isinstance(child, Group):
        return sql.SQL("({})").format(_group(build, child, place, names))
    if isinstance(child, Exists):
        return _linked(build, child, place, names)
    bound = bind(child, place, build.scope, build.context)
    return _predicate(build, bound, names[bound.source.number])


def _linked(build: Build, exists: Exists, place: Source, names: Aliases) -> Term:
    """Return whether there are linked records, asked in a query of its own."""
    start = start_of(exists, place, build.scope)
    inner = build.inside(within(exists))
    # Names inside must differ from those around; beside each other they may be the same.
    inside = aliases(inner, f"{names[start.number]}_")
    own, theirs = hanging(exists, start, inner.scope)
    joined = with_parents(inner, filtered_sources(inner))
    equal = sql.SQL("{} = {}").format(
        inner.comparable(inner.scope.root, own, inside[0]),
        build.comparable(start, theirs, names[start.number]),
    )
    return sql.SQL("{}EXISTS (SELECT 1 FROM {} WHERE {} AND {})").format(
        sql.SQL("NOT " if exists.is_negative else ""),
        from_clause(inner, joined, inside),
        equal,
        where(inner, joined, inside),
    )


_SIGNS = {
    Operator.EQ: sql.SQL("="),
    Operator.GT: sql.SQL(">"),
    Operator.GE: sql.SQL(">="),
    Operator.LT: sql.SQL("<"),
    Operator.LE: sql.SQL("<="),
}


def _predicate(build: Build, bound: Bound, alias: str) -> Term:
    predicate = bound.predicate
    column = build.comparable(bound.source, predicate.attribute, alias)
    if isinstance(predicate.test, IsNull):
        column = _null_column(build, bound, alias)
        return sql.SQL("{} IS {}").format(
            column, sql.SQL("NOT NULL" if predicate.is_negative else "NULL")
        )
    if isinstance(predicate.test, CompareColumns):
        other = build.comparable(bound.source, predicate.test.other, alias)
        term: Term = sql.SQL("{} {} {}").format(column, _SIGNS[predicate.test.operator], other)
    elif isinstance(predicate.test, Hierarchy):
        term = _hierarchy(build, bound.source, predicate.test, column)
    else:
        type_ = sql_type(predicate.attribute)
        term = _TESTS[type(predicate.test)](build, predicate.test, column, type_)
    return sql.SQL("({}) IS NOT TRUE").format(term) if predicate.is_negative else term


def _hierarchy(build: Build, source: Source, test: Hierarchy, column: Term) -> Term:
    """Walk the lookup to the parent, down or up; a circle ends where it began."""
    names = {
        "table": build.table(source),
        "key": build.primary_id(source, "node"),
        "parent": build.column(source, test.parent, "node"),
    }
    names["next"], names["from"] = (
        (names["key"], names["parent"]) if test.is_below else (names["parent"], names["key"])
    )
    own = build.bind(test.id, sql.SQL("uuid"))
    text = sql.SQL(
        "{column} IN (WITH RECURSIVE chain(id) AS ("
        "SELECT {next} FROM {table} AS node WHERE {from} = {own} "
        "UNION SELECT {next} FROM {table} AS node JOIN chain ON {from} = chain.id) "
        "SELECT id FROM chain WHERE id IS NOT NULL)"
    ).format(column=column, own=own, **names)
    if not test.with_itself:
        return text
    return sql.SQL("({} OR {} = {})").format(text, column, own)


def _null_column(build: Build, bound: Bound, alias: str) -> Term:
    """Return the column to test for null.

    Whether an optional linked record is there shows in the attribute it is joined by as well as
    in its primary id, and only from the former does the planner see that it is an anti-join.
    """
    source, attribute = bound.source, bound.predicate.attribute
    if not source.is_required and attribute.name == source.entity.primary_id:
        attribute, _ = join_attributes(source)
    return build.column(source, attribute, alias)


def _compare(build: Build, test: Compare, column: Term, type_: sql.SQL) -> Term:
    value = build.bind(test.value, type_)
    return sql.SQL("{} {} {}").format(column, _SIGNS[test.operator], value)


def _one_of(build: Build, test: OneOf, column: Term, type_: sql.SQL) -> Term:
    return sql.SQL("{} = ANY({})").format(column, build.bind_all(list(test.values), type_))


def _within(build: Build, test: Within, column: Term, type_: sql.SQL) -> Term:
    terms: list[Term] = []
    if test.low is not None:
        terms.append(sql.SQL("{} >= {}").format(column, build.bind(test.low, type_)))
    if test.high is not None:
        sign = sql.SQL("<=" if test.is_closed else "<")
        terms.append(sql.SQL("{} {} {}").format(column, sign, build.bind(test.high, type_)))
    return all_of(terms)


def _like(build: Build, test: Like, column: Term, type_: sql.SQL) -> Term:
    if test.pattern.like is not None:
        return sql.SQL("{} LIKE {}").format(column, build.bind(test.pattern.like, TEXT))
    return sql.SQL("{} ~ {}").format(column, build.bind(f"^{test.pattern.regex}$", TEXT))


def _contains(build: Build, test: Contains, column: Term, type_: sql.SQL) -> Term:
    values = build.bind_all(list(test.values), TEXT)
    return sql.SQL("string_to_array({}, ',') && {}").format(column, values)


_TESTS: dict[type[Test], Callable[[Build, Any, Term, sql.SQL], Term]] = {
    Compare: _compare,
    OneOf: _one_of,
    Within: _within,
    Like: _like,
    Contains: _contains,
}


def join_condition(build: Build, source: Source, names: Aliases) -> Term:
    """Return what makes a linked record belong to its parent, its own filter included."""
    own, theirs = join_attributes(source)
    if source.parent is None:
        return TRUE
    parent = names[source.parent.number]
    equal = sql.SQL("{} = {}").format(
        build.comparable(source, own, names[source.number]),
        build.comparable(source.parent, theirs, parent),
    )
    return all_of([equal, sql.SQL("({})").format(filter_term(build, source, names))])


def from_clause(build: Build, joined: set[int], names: Aliases) -> Term:
    """Return the FROM list: the query's own table, joined with the sources in `joined`."""
    root = build.scope.root
    term: Term = sql.SQL("{} AS {}").format(build.table(root), sql.Identifier(names[root.number]))
    for source in build.scope.sources[1:]:
        if source.number in joined:
            term = sql.SQL("{} {} {} AS {} ON {}").format(
                term,
                sql.SQL("JOIN" if source.is_required else "LEFT JOIN"),
                build.table(source),
                sql.Identifier(names[source.number]),
                join_condition(build, source, names),
            )
    return term


def where(build: Build, joined: set[int], names: Aliases) -> Term:
    """Return the filter, and the existence of every required linked record not joined."""
    terms: list[Term] = [sql.SQL("({})").format(filter_term(build, build.scope.root, names))]
    places = [source for source in build.scope.sources if source.number in joined | {0}]
    for place in places:
        terms += _required_children(build, place, joined, names)
    return all_of(terms)


def _required_children(build: Build, place: Source, joined: set[int], names: Aliases) -> list[Term]:
    return [
        _exists(build, child, names)
        for child in build.scope.children(place)
        if child.number not in joined and child.is_required
    ]


def _exists(build: Build, source: Source, names: Aliases) -> Term:
    terms: list[Term] = [join_condition(build, source, names)]
    terms += _required_children(build, source, set(), names)
    return sql.SQL("EXISTS (SELECT 1 FROM {} AS {} WHERE {})").format(
        build.table(source), sql.Identifier(names[source.number]), all_of(terms)
    )


def filtered_sources(build: Build) -> set[int]:
    """Return the numbers of the linked sources that the query's own filter names."""
    named = {condition.alias for condition in conditions(build.query.filter)}
    named |= {exists.alias for exists in existences(build.query.filter)}
    return {build.scope.find(alias, "condition").number for alias in named if alias}


def with_parents(build: Build, numbers: set[int]) -> set[int]:
    """Return the linked sources in `numbers` and those they hang on."""
    found: set[int] = set()
    for source in build.scope.sources:
        place: Source | None = source if source.number in numbers else None
        while place is not None and place.parent is not None:
            found.add(place.number)
            place = place.parent
    return found


def everything(build: Build) -> set[int]:
    """Return all linked sources."""
    return {source.number for source in build.scope.sources[1:]}


def membership(build: Build, record: str) -> Term:
    """Return the condition that the record with SQL alias `record` is in the query.

    Linked records that the query's own filter does not name are only asked for existence; the
    others are joined apart, so that a record counts once however many linked ones it has.
    """
    joined = with_parents(build, filtered_sources(build))
    if not joined:
        return where(build, joined, aliases(build, "m_") | {0: record})
    names = aliases(build, "m_")
    root = build.scope.root
    return sql.SQL("{} IN (SELECT {} FROM {} WHERE {})").format(
        build.primary_id(root, record),
        build.primary_id(root, names[0]),
        from_clause(build, joined, names),
        where(build, joined, names),
    )
