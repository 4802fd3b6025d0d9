"""Queries of one side in the names of the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from connections.naming.names import Names
from organizations.query.nodes import (
    Condition,
    Exists,
    Group,
    Link,
    Member,
    Order,
    Query,
    Selection,
)


def renamed(query: Query, names: Names) -> Query:
    """Return a query in the other side's names; the very same object if none is different."""
    if not names:
        return query
    scope = _Scope(names, query.entity, dict(_aliases(query.links)))
    return replace(
        query,
        filter=scope.group(query.filter),
        links=tuple(scope.link(item) for item in query.links),
        order=scope.orders(query.order),
        select=scope.selections(query.select),
    )


def _aliases(links: Iterable[Link]) -> Iterator[tuple[str, str]]:
    for link in links:
        if link.alias:
            yield link.alias, link.entity
        yield from _aliases(link.links)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a name stands: in which entity, and which aliases of links it can use."""

    names: Names
    entity: str
    aliases: Mapping[str, str]

    def _name(self, name: str, alias: str = "") -> str:
        return self.names.attribute(self.aliases.get(alias, self.entity), name)

    def group(self, group: Group) -> Group:
        return replace(group, children=tuple(self._member(item) for item in group.children))

    def _member(self, member: Member) -> Member:
        if isinstance(member, Group):
            return self.group(member)
        if isinstance(member, Exists):
            inside = dict(_aliases((member.link,)))
            start = self.aliases.get(member.alias, self.entity)
            return replace(member, link=_Scope(self.names, start, inside).link(member.link))
        return self._condition(member)

    def _condition(self, condition: Condition) -> Condition:
        alias = condition.alias
        other = condition.value_of
        return replace(
            condition,
            attribute=self._name(condition.attribute, alias),
            value_of=self._name(other, alias) if other else "",
        )

    def link(self, link: Link) -> Link:
        inside = _Scope(self.names, link.entity, self.aliases)
        return replace(
            link,
            from_attribute=self.names.attribute(link.entity, link.from_attribute),
            to_attribute=self._name(link.to_attribute),
            filter=inside.group(link.filter),
            links=tuple(inside.link(item) for item in link.links),
            select=inside.selections(link.select),
            order=inside.orders(link.order),
        )

    def orders(self, orders: Iterable[Order]) -> tuple[Order, ...]:
        return tuple(
            replace(item, attribute=self._name(item.attribute, item.alias)) for item in orders
        )

    def selections(self, selections: Iterable[Selection]) -> tuple[Selection, ...]:
        return tuple(replace(item, attribute=self._name(item.attribute)) for item in selections)
