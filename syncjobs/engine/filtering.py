"""What a new sync filter changes: which records enter, which leave, which children are orphaned.

The server is asked for the ids inside the filter, by query; they are compared with the links
outside the engine's memory. So what is compared with is what the client has now, and a record
that the server deleted meanwhile counts among those that leave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from connections.connectors.base import Connector
from connections.errors import LoginFailed, Refused, UnknownEntity, Unreachable
from organizations.query.analysis import existences
from organizations.query.explaining import said
from organizations.query.nodes import (
    ALL,
    Condition,
    Exists,
    Group,
    Link,
    Member,
    Operator,
    Query,
)
from organizations.schema import Entity
from syncjobs.engine.planning import names_of
from syncjobs.engine.protocols import Reporter, State
from syncjobs.engine.values import EntityTask

SAMPLES = 20
_PAGE = 5000
_CHUNK = 300
_MOST_TRIES = 40
"""Conditions that are tried alone to find the one that the server refuses."""


class Named(NamedTuple):
    """A record for people; the name is empty where it has none."""

    id: str
    name: str


@dataclass(slots=True)
class Orphans:
    """Records of the client whose lookup `attribute` would lead to a record that left."""

    entity: str
    attribute: str
    count: int = 0
    samples: list[Named] = field(default_factory=list)


@dataclass(slots=True)
class FilterPreview:
    """How many records are inside, enter and leave, with samples; children with a lost parent."""

    inside: int = 0
    enters: int = 0
    leaves: int = 0
    entering: list[Named] = field(default_factory=list)
    leaving: list[Named] = field(default_factory=list)
    children: list[Orphans] = field(default_factory=list)


class FilterRefused(Refused):
    """The server does not take the filter; the text names what it does not take."""


class _Reference(NamedTuple):
    """A lookup of an entity's records that may lead to a record that leaves."""

    task: EntityTask
    attribute: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtering:
    """Finds out; `task` has the new filter, `tasks` are all entities that are carried."""

    server: Connector
    client: Connector
    state: State
    reporter: Reporter
    task: EntityTask
    tasks: Sequence[EntityTask]

    def preview(self) -> FilterPreview:
        """Return what would change; writes nothing. Raises FilterRefused, connector errors."""
        found = FilterPreview()
        spool = self.state.spool(self.task.key)
        for ids in self._ids():
            self.reporter.checkpoint()
            spool.put(ids)
            found.inside += len(ids)
        for ids in spool.entered(_PAGE):
            if not found.entering:
                found.entering = _named(self.server, self.task.server, ids)
            found.enters += len(ids)
        orphans = [(reference, Orphans(*_key(reference))) for reference in self._references()]
        for ids in spool.missing(_PAGE):
            self.reporter.checkpoint()
            self._leave(found, orphans, ids)
        found.children = [item for _, item in orphans if item.count]
        return found

    def _ids(self) -> Iterator[Sequence[str]]:
        try:
            yield from self.server.ids(self.task.server, self.task.query)
        except (LoginFailed, Unreachable, UnknownEntity):
            raise
        except Refused as error:
            raise FilterRefused(self._refusal(error), code=error.code) from error

    def _refusal(self, error: Refused) -> str:
        query = self.task.query
        bad = [] if query is None else culprits(self.server, self.task.server, query)
        named = ""
        if bad:
            named = f" It does not take this: {'; '.join(bad)}."
        return f"The server refuses this filter.{named} It says: {error}"

    def _leave(
        self,
        found: FilterPreview,
        orphans: Sequence[tuple[_Reference, Orphans]],
        ids: Sequence[str],
    ) -> None:
        links = self.state.links(self.task.key, ids)
        client_ids = [link.client_id for link in links.values()]
        if not found.leaving:
            found.leaving = _named(self.client, self.task.client, client_ids)
        found.leaves += len(client_ids)
        for reference, orphaned in orphans:
            for start in range(0, len(client_ids), _CHUNK):
                self._orphan(reference, orphaned, client_ids[start : start + _CHUNK])

    def _orphan(self, reference: _Reference, orphaned: Orphans, parents: Sequence[str]) -> None:
        entity = reference.task.client
        condition = Condition(reference.attribute, Operator.IN, tuple(parents))
        query = Query(entity=entity.name, filter=Group(children=(condition,)))
        for page in self.client.ids(entity, query):
            staying = self._staying(page) if entity.name == self.task.name else page
            room = SAMPLES - len(orphaned.samples)
            if staying and room > 0:
                orphaned.samples += _named(self.client, entity, staying[:room])
            orphaned.count += len(staying)

    def _staying(self, client_ids: Sequence[str]) -> Sequence[str]:
        """Return those that do not leave themselves."""
        links = self.state.links_by_client(self.task.key, client_ids)
        query = self.task.query
        if query is None or not links:
            return client_ids
        inside = self.server.matching(
            self.task.server, query, [link.server_id for link in links.values()]
        )
        return [item for item in client_ids if item not in links or links[item].server_id in inside]

    def _references(self) -> Iterator[_Reference]:
        """Yield the lookups that lead here; an activity that loses a party is no orphan."""
        for task in self.tasks:
            pair = task.client.intersect
            ends = (
                ()
                if pair is None
                else (
                    (pair.entity1, pair.attribute1),
                    (pair.entity2, pair.attribute2),
                )
            )
            for target, attribute in ends:
                if target == self.task.name:
                    yield _Reference(task, attribute)
            for item in task.attributes:
                if self.task.name in item.targets and item.is_lookup and pair is None:
                    yield _Reference(task, item.name)


def culprits(server: Connector, entity: Entity, query: Query) -> list[str]:
    """Return in words the conditions of a filter that the server refuses by themselves."""
    found = []
    for count, (words, alone) in enumerate(_alone(query)):
        if count >= _MOST_TRIES:
            break
        try:
            next(iter(server.ids(entity, alone)), None)
        except Refused:
            found.append(words)
    return list(dict.fromkeys(found))


def _alone(query: Query) -> Iterator[tuple[str, Query]]:
    """Yield each condition as a query of its own, and each link without its conditions."""
    bare = tuple(map(_bare, query.links))
    for condition in _conditions(query.filter):
        links = bare if condition.alias else ()
        only = Group(children=(condition,))
        yield said(condition), Query(entity=query.entity, filter=only, links=links)
    asked = (found.link for found in existences(query.filter))
    for link in (*query.links, *asked):
        for words, one in _alone_in(link):
            yield words, Query(entity=query.entity, links=(one,))


def _alone_in(link: Link) -> Iterator[tuple[str, Link]]:
    bare = _bare(link)
    yield f"the link to {link.entity} by {link.from_attribute}", bare
    for condition in _conditions(link.filter):
        words = f"{link.entity}: {said(condition)}"
        yield words, replace(bare, filter=Group(children=(condition,)))
    for inner in link.links:
        for words, one in _alone_in(inner):
            yield words, replace(bare, links=(one,))


def _bare(link: Link) -> Link:
    return replace(link, filter=ALL, links=tuple(map(_bare, link.links)))


def _conditions(group: Group) -> Iterator[Condition]:
    children: list[Member] = list(group.children)
    for child in children:
        if isinstance(child, Group):
            yield from _conditions(child)
        elif not isinstance(child, Exists):
            yield child


def _named(side: Connector, entity: Entity, ids: Sequence[str]) -> list[Named]:
    shown = list(ids[:SAMPLES])
    names = names_of(side, entity, shown)
    return [Named(item, names.get(item, "")) for item in shown]


def _key(reference: _Reference) -> tuple[str, str]:
    return reference.task.name, reference.attribute
