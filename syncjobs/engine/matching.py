"""Records that exist on both sides by themselves, and how they find each other (design 5.1.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from connections.connectors.base import Connector, ReadRequest
from organizations.query.nodes import Condition, Group, Operator, Query
from organizations.records import Page, Row
from organizations.schema import Attribute, Entity
from syncjobs.engine.emptiness import contradicted
from syncjobs.engine.layout import Layout
from syncjobs.engine.protocols import State
from syncjobs.engine.transactions import Transaction
from syncjobs.engine.values import EntityTask, Position

MATCH_KEYS: Mapping[str, tuple[str, ...]] = {
    "businessunit": ("name",),
    "queue": ("name",),
    "role": ("name",),
    "systemuser": ("domainname", "internalemailaddress"),
    "team": ("name",),
    "transactioncurrency": ("isocurrencycode",),
}
"""Entities whose ids differ between organizations, and what names a record; first key first."""

_VALUES_PER_QUERY = 500
_PROBES = 100
"""How many linked records a server is asked for that named none."""

Keys = Mapping[str, tuple[str, ...]]
"""Record id → its match keys in lower case, '' where it has none."""


class Matched(NamedTuple):
    """What matching came to: server id → client id, and whom it looked at on the server.

    `looked_at` are ids; None: the client has nothing to match with.
    """

    pairs: Mapping[str, str]
    looked_at: AbstractSet[str] | None


def match(
    server: Connector, client: Connector, task: EntityTask, state: State, position: Position
) -> Matched:
    """Find unlinked records that are the same under different ids.

    Reads what the entity's next reading will bring, but only ids and keys. A key matches where
    exactly one record on each side has it, and neither is linked or has its own id on the other
    side.
    """
    attributes = _key_attributes(task)
    if not attributes or client.is_empty(task.client):
        return Matched({}, None)
    ours = _unlinked(server, task, state, position, attributes)
    if not ours:
        return Matched({}, frozenset())
    theirs = dict(_read(client, task.client, attributes))
    same = ours.keys() & theirs.keys()
    taken = state.links_by_client(task.key, list(theirs))
    free = {item: keys for item, keys in theirs.items() if item not in same and item not in taken}
    pairs = _pair_up({item: keys for item, keys in ours.items() if item not in same}, free)
    return Matched(pairs, ours.keys())


def _unlinked(
    server: Connector,
    task: EntityTask,
    state: State,
    position: Position,
    attributes: tuple[Attribute, ...],
) -> dict[str, tuple[str, ...]]:
    since = None if position.full else position.token or None
    query = None if since else task.query
    found = dict(_read(server, task.server, attributes, since=since, query=query))
    if not (found or since):
        _check_empty(server, task, state)
    left = [item for item in state.left_behind(task.key) if item not in found]
    if left:
        found |= dict(_keys(server.fetch(task.server, attributes, left), attributes))
    linked = state.links(task.key, list(found))
    return {item: keys for item, keys in found.items() if item not in linked}


def _check_empty(server: Connector, task: EntityTask, state: State) -> None:
    # Who is not matched now cannot be carried by the pull, and neither can what refers to him.
    ids = (page[0] for page in server.ids(task.server, task.query) if page)
    if record := next(ids, "") or next(iter(_shown(server, task, state)), ""):
        raise contradicted(task.name, record)


def _shown(server: Connector, task: EntityTask, state: State) -> Collection[str]:
    """Return those of the newest linked records that the server has inside the filter."""
    linked = [link.server_id for link in state.newest_links(task.key, _PROBES)]
    if not linked:
        return ()
    primary = task.server.attribute(task.server.primary_id)
    page = server.fetch(task.server, (primary,) if primary else (), linked)
    place = page.columns.index(task.server.primary_id)
    there = [str(row[place]) for row in page.rows]
    return there if task.query is None else server.matching(task.server, task.query, there)


def _key_attributes(task: EntityTask) -> tuple[Attribute, ...]:
    shared = {attribute.name: attribute for attribute in task.attributes}
    return tuple(shared[name] for name in MATCH_KEYS[task.name] if name in shared)


def _read(
    connector: Connector,
    entity: Entity,
    attributes: tuple[Attribute, ...],
    *,
    since: str | None = None,
    query: Query | None = None,
) -> Iterator[tuple[str, tuple[str, ...]]]:
    request = ReadRequest(entity=entity, attributes=attributes, since=since, query=query)
    for page in connector.read(request):
        yield from _keys(page, attributes)


def _keys(page: Page, attributes: Iterable[Attribute]) -> Iterator[tuple[str, tuple[str, ...]]]:
    places = [page.columns.index(attribute.name) for attribute in attributes]
    for row in page.rows:
        yield str(row[0]), tuple(str(row[place] or "").casefold() for place in places)


def _pair_up(ours: Keys, theirs: Keys) -> dict[str, str]:
    found: dict[str, str] = {}
    taken: set[str] = set()
    width = max((len(keys) for keys in ours.values()), default=0)
    for which in range(width):
        here = _unique({item: keys[which] for item, keys in ours.items() if item not in found})
        there = _unique({item: keys[which] for item, keys in theirs.items() if item not in taken})
        for key in sorted(here.keys() & there.keys()):
            found[here[key]] = there[key]
            taken.add(there[key])
    return found


def _unique(keys: Mapping[str, str]) -> dict[str, str]:
    times = Counter(keys.values())
    return {key: item for item, key in keys.items() if key and times[key] == 1}


def pairs_on_client(
    client: Connector, task: EntityTask, layout: Layout, rows: Sequence[Row]
) -> dict[str, str]:
    """Return server row id → client row id of intersect rows whose pair the client has.

    `rows` are in the layout's order and in the client's terms.
    """
    pair = task.server.intersect
    if pair is None or not rows:
        return {}
    first, second = layout.columns.index(pair.attribute1), layout.columns.index(pair.attribute2)
    wanted = {(row[first], row[second]): str(row[0]) for row in rows}
    values = sorted({str(row[first]) for row in rows})
    found: dict[str, str] = {}
    for start in range(0, len(values), _VALUES_PER_QUERY):
        chunk = tuple(values[start : start + _VALUES_PER_QUERY])
        for row in _rows_with(client, task, layout, pair.attribute1, chunk):
            server_id = wanted.get((row[first], row[second]))
            if server_id is not None:
                found[server_id] = str(row[0])
    return found


def same_pairs(
    task: EntityTask, layout: Layout, rows: Sequence[Row], made: Iterable[Transaction]
) -> dict[str, str]:
    """Return server row id → client row id of intersect rows that these changes make, too."""
    pair = task.server.intersect
    if pair is None:
        return {}
    ends = (pair.attribute1, pair.attribute2)
    ids = {
        tuple(item.changes[name].new for name in ends): item.client_id
        for item in made
        if item.changes is not None and item.changes.keys() >= set(ends)
    }
    first, second = map(layout.columns.index, ends)
    found = ((str(row[0]), ids.get((row[first], row[second]))) for row in rows)
    return {server_id: client_id for server_id, client_id in found if client_id}


def _rows_with(
    client: Connector, task: EntityTask, layout: Layout, attribute: str, values: tuple[str, ...]
) -> Iterator[Row]:
    condition = Condition(attribute, Operator.IN, values)
    query = Query(entity=task.name, filter=Group(children=(condition,)))
    request = ReadRequest(entity=task.client, attributes=layout.client_attributes, query=query)
    for page in client.read(request):
        yield from layout.align(page)
