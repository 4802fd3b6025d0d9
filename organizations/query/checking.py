"""Checking a query against metadata before it is kept or run: names, types, values, aliases."""

from __future__ import annotations

from dataclasses import replace

from organizations.errors import InvalidRequest, NotFound
from organizations.query.context import Context, User
from organizations.query.nodes import Condition, Exists, Group, Query
from organizations.query.scope import (
    Schema,
    Scope,
    Source,
    bind,
    filter_of,
    scope,
    start_of,
    within,
)
from organizations.schema import Entity

_ANYBODY = User(id="00000000-0000-0000-0000-000000000000")


def check(query: Query, schema: Schema) -> None:
    """Raise InvalidRequest that names the first element which cannot be meant.

    Operators of the signed-in user are accepted: who that is shows when the query runs.
    """
    sources = scope(query, _naming(query, schema))
    known = _naming(query, schema)
    for source in sources.sources:
        _check_filter(filter_of(source, query), source, sources, known)
        _check_names(query, source, sources)


def _naming(query: Query, schema: Schema) -> Schema:
    def entity(name: str) -> Entity:
        try:
            return schema(name)
        except NotFound as error:
            element = "entity" if name == query.entity else "link-entity"
            raise InvalidRequest(f"{element}: {error}", element) from error

    return entity


_CONTEXT = replace(Context(), user=_ANYBODY)


def _check_filter(group: Group, place: Source, sources: Scope, schema: Schema) -> None:
    for child in group.children:
        if isinstance(child, Condition):
            bind(child, place, sources, _CONTEXT)
        elif isinstance(child, Exists):
            start_of(child, place, sources)
            check(within(child), schema)
        else:
            _check_filter(child, place, sources, schema)


def _check_names(query: Query, source: Source, sources: Scope) -> None:
    node = query if source.link is None else source.link
    for selection in node.select:
        source.known(selection.attribute, "attribute")
    for order in () if query.aggregate else node.order:
        place = sources.find(order.alias, "order") if order.alias else source
        place.attribute(order.attribute, "order")
