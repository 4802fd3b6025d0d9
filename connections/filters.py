"""The sync filter of an entity, whichever door it came through: read, checked, written again.

A filter is FetchXML about one entity; an empty one means all records. It is kept as we write it,
so that the same filter always has the same text, and in the server's names. Where the client has
other names for attributes, either can be written, and the query that is read has the client's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from connections.naming import queries
from connections.naming.names import SAME, Names
from organizations.errors import InvalidRequest, NotFound
from organizations.query import fetchxml_reader, fetchxml_writer
from organizations.query.nodes import Link, Query
from organizations.schema import Entity, ManyToMany

Schema = Callable[[str], Entity]
"""Entity name → the server's metadata, in the client's names; raises NotFound."""

ELEMENT = "SyncFiltersXml"
MAX_LENGTH = 100_000
"""Characters of one filter that an editor takes."""


def read(text: str, name: str, schema: Schema, names: Names = SAME) -> Query | None:
    """Return the filter of entity `name` as a query in the client's names, None without one.

    Raises InvalidRequest if it cannot be read, names what is not there, is about another entity,
    or if an entity of that kind has no filter of its own.
    """
    if not text.strip():
        return None
    try:
        query = fetchxml_reader.read(text, schema=_both(schema, names))
    except NotFound as error:
        raise InvalidRequest(str(error), element=ELEMENT) from error
    if query.entity != name:
        raise InvalidRequest(
            f"The filter of '{name}' is about '{query.entity}'. Write it about '{name}'.",
            element=ELEMENT,
        )
    _check_entity(schema(name))
    return queries.renamed(query, names)


def _both(schema: Schema, names: Names) -> Schema:
    """Return a schema that knows attributes by the server's names too."""
    if not names:
        return schema

    def known(name: str) -> Entity:
        entity = schema(name)
        more = (
            replace(found, name=here)
            for here, there in names.pairs(name).items()
            if (found := entity.attribute(there)) is not None and entity.attribute(here) is None
        )
        return replace(entity, attributes=(*entity.attributes, *more))

    return known


def of_pairs(pair: ManyToMany, ends: Mapping[str, Query], schema: Schema) -> Query | None:
    """Return which pairs belong on the client: those of which both ends do.

    `ends` are the filters of the entities, where they have one; None where neither end has.
    """
    links = tuple(
        Link(
            entity=entity,
            from_attribute=schema(entity).primary_id,
            to_attribute=attribute,
            alias=f"end{number}",
            filter=ends[entity].filter,
            links=ends[entity].links,
        )
        for number, (entity, attribute) in enumerate(
            ((pair.entity1, pair.attribute1), (pair.entity2, pair.attribute2)), 1
        )
        if entity in ends
    )
    return Query(entity=pair.intersect_entity, links=links) if links else None


def checked(text: str, name: str, schema: Schema, names: Names = SAME) -> str:
    """Return the filter as it is kept, "" without one. Raises InvalidRequest as `read` does."""
    query = read(text, name, schema, names)
    return "" if query is None else fetchxml_writer.write(queries.renamed(query, names.inverse))


def checked_collection(text: str, schema: Schema) -> dict[str, str]:
    """Return entity name → filter as it is kept, of a `<fetchcollection>`; empty text holds none.

    Raises InvalidRequest.
    """
    if not text:
        return {}
    try:
        queries = fetchxml_reader.read_collection(text, schema=schema)
        for name in queries:
            _check_entity(schema(name))
    except (InvalidRequest, NotFound) as error:
        raise InvalidRequest(f"'{ELEMENT}': {error}", element=ELEMENT) from error
    return {name: fetchxml_writer.write(query) for name, query in queries.items()}


def _check_entity(entity: Entity) -> None:
    if entity.intersect is not None:
        raise InvalidRequest(
            f"'{entity.name}' is an N:N entity. It is filtered by the filters of the two "
            "entities it links.",
            element=ELEMENT,
        )
