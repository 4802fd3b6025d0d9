"""Asking a server what a readiness report needs, in few requests."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from connections.connectors.base import Connector, EntitySummary
from connections.errors import Refused
from connections.readiness import judging
from connections.readiness.judging import Progress, Seen
from connections.readiness.report import Colour, EntityReport, Finding, Report
from organizations.schema import VERSION, Entity

AT_ONCE = 100
"""Entities whose definitions are in memory at once."""


def silent(entity: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def check(
    server: Connector,
    enabled: Sequence[str],
    *,
    interval: timedelta | None = None,
    progress: Progress = silent,
) -> Report:
    """Return the report of a server and of the entities that are carried.

    A server that refuses us has a report too, which says why. Raises Retryable.
    """
    try:
        identity = server.identify()
        findings = tuple(judging.of_server(identity, server.server_facts(), interval))
        listed = {summary.name: summary for summary in server.entities()}
    except Refused as error:
        return Report(server=(_refusal(error),))
    found = {item.name: item for item in _entities(server, listed, enabled, progress)}
    return Report(server=findings, entities=tuple(found[name] for name in enabled))


def _entities(
    server: Connector,
    listed: Mapping[str, EntitySummary],
    enabled: Sequence[str],
    progress: Progress,
) -> Iterator[EntityReport]:
    names = []
    for name in enabled:
        if name not in listed:
            yield judging.missing(name)
        elif listed[name].problem:
            yield judging.refused(listed[name])
        else:
            names.append(name)
    for start in range(0, len(names), AT_ONCE):
        portion = names[start : start + AT_ONCE]
        progress(portion[0], start, len(names))
        yield from _portion(server, listed, portion, enabled)


def _portion(
    server: Connector,
    listed: Mapping[str, EntitySummary],
    names: Sequence[str],
    enabled: Collection[str],
) -> Iterator[EntityReport]:
    entities = [_slim(entity) for entity in server.describe(names)]
    failures = server.unreadable(entities)
    counts = server.estimates([item for item in entities if item.name not in failures])
    for entity in entities:
        seen = Seen(
            summary=listed[entity.name],
            entity=entity,
            failure=failures.get(entity.name, ""),
            count=counts.get(entity.name),
        )
        yield judging.of_entity(seen, enabled)


def _slim(entity: Entity) -> Entity:
    """Keep of an entity only what is judged; whole definitions are megabytes."""
    kept = (
        replace(item, option_set=None, extras={})
        for item in entity.attributes
        if judging.is_demanded(item) or item.name in (entity.primary_id, VERSION)
    )
    return replace(entity, attributes=tuple(kept), relationships=entity.many_to_many, extras={})


def _refusal(error: Refused) -> Finding:
    return Finding(
        colour=Colour.RED,
        about="login",
        text=str(error),
        fix="Press Connection and connect again with a login that works.",
    )
