"""What a statement returns: the selected attributes of every source, each under its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from organizations.errors import InvalidRequest
from organizations.query.nodes import Selection
from organizations.query.scope import Source
from organizations.query.sql_filters import Aliases
from organizations.query.sql_terms import Build, Term, primary_id
from organizations.query.statements import OutputColumn
from organizations.schema import VERSION, Attribute, ColumnPart


@dataclass(frozen=True, slots=True)
class Output:
    """One output: its SQL, what it means, and the source and attribute it shows."""

    term: Term
    column: OutputColumn
    source: Source
    attribute: Attribute


def selections(
    source: Source, selected: tuple[Selection, ...], everything: bool
) -> list[Selection]:
    """Return what is selected of a source; all kept attributes if `everything`."""
    if not everything:
        return list(selected)
    kept = [
        attribute
        for attribute in source.entity.attributes
        if not attribute.is_hidden and (attribute.is_stored or attribute.name == VERSION)
    ]
    return [Selection(attribute.name) for attribute in kept] + list(selected)


def of_source(build: Build, source: Source) -> list[Selection]:
    """Return what the query selects of a source."""
    node = build.query if source.link is None else source.link
    return selections(source, node.select, node.select_all)


def output_name(source: Source, selection: Selection) -> str:
    """Return the name under which a selected attribute is returned."""
    if selection.alias or source.link is None:
        return selection.alias or selection.attribute
    return f"{source.alias}.{selection.attribute}"


def outputs(build: Build, names: Aliases) -> list[Output]:
    """Return the outputs of a query without aggregates.

    The primary id comes first, unless the query is distinct and selects something else: then
    only what it selects is returned (Dataverse).
    """
    found: dict[str, Output] = {}
    root = build.scope.root
    chosen = [(source, item) for source in build.scope.sources for item in of_source(build, source)]
    if not (build.query.distinct and chosen):
        chosen.insert(0, (root, Selection(primary_id(root).name)))
    result: list[Output] = []
    for source, selection in chosen:
        label = output_name(source, selection)
        made = list(attribute_outputs(build, source, selection.attribute, label, names))
        if label not in found:
            result += made
        elif (found[label].source, found[label].attribute) != (source, made[0].attribute):
            raise duplicate(label)
        found.setdefault(label, made[0])
    return result


def duplicate(label: str) -> InvalidRequest:
    """Return the error for two outputs of one name."""
    return InvalidRequest(f"Two attribute elements are returned as '{label}'.", "attribute")


def attribute_outputs(
    build: Build, source: Source, name: str, label: str, names: Aliases
) -> Iterator[Output]:
    """Yield the output of one attribute, and its target column if it is a polymorphic lookup.

    An attribute that is known but not kept here is null, as Dataverse answers for attributes
    that are not valid for read.
    """
    attribute = source.known(name, "attribute")
    alias = names[source.number]
    column = OutputColumn(label, attribute, source.entity.name)
    if not (attribute.is_stored or attribute.name == VERSION):
        yield Output(sql.SQL("NULL::text"), column, source, attribute)
        return
    yield Output(build.column(source, attribute, alias), column, source, attribute)
    if attribute.is_polymorphic:
        target = OutputColumn(label, attribute, source.entity.name, ColumnPart.TARGET)
        term = build.column(source, attribute, alias, ColumnPart.TARGET)
        yield Output(term, target, source, attribute)
