"""Rows of every sample entity, in the order of `schema.columns`, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from organizations import schema
from organizations.records import Row
from organizations.samples import contoso
from organizations.samples.generator import customers, foundation, meetings
from organizations.samples.generator.pools import default_streams
from organizations.samples.generator.sizes import sizes
from organizations.samples.generator.world import Streams, World
from organizations.schema import Entity

RECIPES: dict[str, Callable[[World], Streams]] = {
    "businessunit": foundation.businessunit,
    "transactioncurrency": foundation.transactioncurrency,
    "systemuser": foundation.systemuser,
    "team": foundation.team,
    "role": foundation.role,
    "privilege": foundation.privilege,
    "roleprivileges": foundation.roleprivileges,
    "systemuserroles": foundation.systemuserroles,
    "account": customers.account,
    "contact": customers.contact,
    "lead": customers.lead,
    "competitor": customers.competitor,
    "leadcompetitors": customers.leadcompetitors,
    "appointment": meetings.appointment,
    "new_equipment": customers.new_equipment,
}
"""What is known of an entity's columns; the others are filled by their metadata.

The order is that of loading: what others point to comes first where it can.
"""


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of one entity: how many, in which columns, and the rows themselves, made as read."""

    entity: Entity
    columns: tuple[str, ...]
    size: int
    rows: Iterator[Row]


def tables(*, records: int, seed: int) -> Iterator[Table]:
    """Return the rows of all entities of the sample organization.

    `records` counts accounts, contacts, leads, competitors, appointments and pieces of
    equipment together; users, roles and pairs come on top. Rows of activityparty are not among
    them: they belong to the store, which makes them of the party lists of appointments.
    Raises ValueError.
    """
    entities = {entity.name: entity for entity in contoso.entities()}
    rights = len(foundation.privilege_names(entities))
    counts = sizes(records, rights)
    counts["roleprivileges"] = len(foundation.granted(rights))
    world = World(seed, entities, counts)
    for name in RECIPES:
        entity = entities[name]
        columns = tuple(column.name for column in schema.columns(entity))
        yield Table(entity, columns, counts[name], _rows(world, entity, columns))


def _rows(world: World, entity: Entity, columns: tuple[str, ...]) -> Iterator[Row]:
    streams = default_streams(world, entity) | RECIPES[entity.name](world)
    streams[entity.primary_id] = world.ids(entity.name)
    endless = zip(*(streams[column] for column in columns), strict=False)
    return islice(endless, world.sizes[entity.name])
