"""A SELECT of T-SQL as a query: columns, TOP, joins, WHERE, GROUP BY and ORDER BY.

The text is parsed by sqlglot and never given to a database. What Dataverse's SQL end point
refuses (`*`, HAVING, UNION, WITH, subqueries, other joins, writes) is refused here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from organizations.query.checking import check
from organizations.query.nodes import ALL, Link, LinkType, Order, Query, Selection
from organizations.query.select_conditions import read_condition, refused
from organizations.query.statements import DEFAULT_LIMIT
from organizations.schema import Entity

MAX_LENGTH = 32_768
_ALLOWED = frozenset(
    {"expressions", "from", "from_", "joins", "where", "group", "order", "limit", "distinct"}
)
_AGGREGATES: dict[type[exp.Expression], str] = {
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
}


def read(text: str, *, schema: Callable[[str], Entity]) -> Query:
    """Return the query of a SELECT, checked against metadata. Raises InvalidRequest."""
    if len(text) > MAX_LENGTH:
        raise refused(f"The statement is longer than {MAX_LENGTH} characters")
    try:
        statements = sqlglot.parse(text, read="tsql")
    except (SqlglotError, RecursionError) as error:
        raise refused(f"Syntax error in '{text[:200]}'") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise refused("Exactly one SELECT is supported")
    query = _Reader(statements[0], schema).query()
    check(query, schema)
    return query


@dataclass(slots=True)
class _Reader:
    """Reads one statement; `sources` are the entities by the names they have in it."""

    select: exp.Select
    schema: Callable[[str], Entity]
    sources: dict[str, Entity] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    chosen: dict[str, list[Selection]] = field(default_factory=dict)
    taken: dict[str, tuple[str, str]] = field(default_factory=dict)

    def query(self) -> Query:
        """Return the whole query."""
        self._check()
        root = self._source(_from(self.select))
        for join in self.select.args.get("joins") or ():
            self._join(join)
        groups = self._groups()
        is_aggregate = bool(groups) or any(_is_aggregate(one) for one in self.select.expressions)
        for item in self.select.expressions:
            self._choose(item, groups, is_aggregate)
        where = self.select.args.get("where")
        links = tuple(
            replace(link, select=tuple(self.chosen.get(alias, ())))
            for alias, link in self.links.items()
        )
        return Query(
            entity=self.sources[root].name,
            filter=ALL if where is None else read_condition(where.this, self._place),
            links=links,
            order=tuple(self._order(is_aggregate)),
            select=tuple(self.chosen.get("", ())),
            distinct=self.select.args.get("distinct") is not None and not is_aggregate,
            aggregate=is_aggregate,
            top=self._top(),
        )

    def _check(self) -> None:
        wrong = [name for name, part in self.select.args.items() if part and name not in _ALLOWED]
        if wrong:
            raise refused(f"{wrong[0].strip('_').upper()} is not supported")
        if any(isinstance(node, exp.Query) for node in self._inner()):
            raise refused("Subqueries are not supported")

    def _inner(self) -> Iterator[Any]:
        return (node for node in self.select.walk() if node is not self.select)

    def _source(self, table: Any) -> str:
        if not isinstance(table, exp.Table) or table.args.get("db"):
            raise refused("FROM names one table")
        name = table.alias_or_name.lower()
        if name in self.sources:
            raise refused(f"Two tables are called '{name}'. Give one of them an alias")
        self.sources[name] = self.schema(table.name.lower())
        return name

    def _join(self, join: exp.Join) -> None:
        kind = (join.side or join.kind or "INNER").upper()
        condition = join.args.get("on")
        if kind not in ("INNER", "LEFT") or join.method or not isinstance(condition, exp.EQ):
            raise refused("Only INNER JOIN and LEFT JOIN with ON one = other are supported")
        name = self._source(join.this)
        sides = [self._place(side, None) for side in (condition.this, condition.expression)]
        own = [attribute for attribute, alias in sides if alias == name]
        theirs = [attribute for attribute, alias in sides if alias == ""]
        if len(own) != 1 or len(theirs) != 1:
            raise refused(f"The JOIN of '{name}' must compare it with the table of FROM")
        self.links[name] = Link(
            entity=self.sources[name].name,
            from_attribute=own[0],
            to_attribute=theirs[0],
            alias=name,
            type=LinkType.OUTER if kind == "LEFT" else LinkType.INNER,
        )

    def _place(self, node: Any, _: object = None) -> tuple[str, str]:
        """Return attribute and link of a column; the link of the table of FROM is ''."""
        if not isinstance(node, exp.Column):
            raise refused(f"'{node.sql('tsql')[:80]}' stands where a column must stand")
        name, table = node.name.lower(), node.table.lower()
        places = list(self.sources)
        if not table:
            found = [one for one in places if self.sources[one].attribute(name)]
            if len(found) > 1:
                raise refused(f"Column '{name}' is in several tables. Write table.{name}")
            table = found[0] if found else places[0]
        if table not in self.sources:
            raise refused(f"'{table}' is no table of this statement")
        return name, "" if table == places[0] else table

    def _groups(self) -> set[tuple[str, str]]:
        group = self.select.args.get("group")
        return {self._place(node) for node in group.expressions} if group else set()

    def _choose(self, item: Any, groups: set[tuple[str, str]], is_aggregate: bool) -> None:
        alias = item.alias if isinstance(item, exp.Alias) else ""
        node = item.this if isinstance(item, exp.Alias) else item
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and node.name == "*"):
            raise refused("SELECT * is not supported. Name the columns")
        if _is_aggregate(item):
            link, chosen = self._aggregate(node)
        else:
            name, link = self._place(node)
            if is_aggregate and (name, link) not in groups:
                raise refused(f"Column '{name}' must be in GROUP BY or in an aggregate")
            chosen = Selection(name, group_by=is_aggregate)
        label = alias or chosen.alias or chosen.attribute
        if label in self.taken:
            raise refused(f"Two columns are called '{label}'. Give one of them an alias")
        self.taken[label] = (chosen.attribute, link)
        if alias or link or is_aggregate:
            chosen = replace(chosen, alias=label)
        self.chosen.setdefault(link, []).append(chosen)

    def _aggregate(self, node: Any) -> tuple[str, Selection]:
        if isinstance(node, exp.Count):
            inner, distinct = node.this, isinstance(node.this, exp.Distinct)
            if inner is None or isinstance(inner, exp.Star | exp.Literal):
                key = next(iter(self.sources.values())).primary_id
                return "", Selection(key, alias="count", aggregate="count")
            name, link = self._place(inner.expressions[0] if distinct else inner)
            return link, Selection(
                name, alias=f"count_{name}", aggregate="countcolumn", distinct=distinct
            )
        kind = _AGGREGATES[type(node)]
        name, link = self._place(node.this)
        return link, Selection(name, alias=f"{kind}_{name}", aggregate=kind)

    def _order(self, is_aggregate: bool) -> Iterator[Order]:
        order = self.select.args.get("order")
        for item in order.expressions if order else ():
            descending = bool(item.args.get("desc"))
            if is_aggregate:
                label = item.this.name if isinstance(item.this, exp.Column) else ""
                yield Order("", descending, label)
            else:
                named = self.taken.get(item.this.name)
                name, link = named or self._place(item.this)
                yield Order(name, descending, link)

    def _top(self) -> int | None:
        limit = self.select.args.get("limit")
        if limit is None:
            return None
        value = limit.expression
        if not isinstance(value, exp.Literal) or value.is_string or not value.name.isdigit():
            raise refused("TOP takes a whole number")
        return min(int(value.name[:9]), DEFAULT_LIMIT)


def _from(select: exp.Select) -> Any:
    found = select.args.get("from_") or select.args.get("from")
    if found is None:
        raise refused("FROM names one table")
    return found.this


def _is_aggregate(item: Any) -> bool:
    node = item.this if isinstance(item, exp.Alias) else item
    return isinstance(node, (exp.Count, *_AGGREGATES))
