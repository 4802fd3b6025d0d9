"""What the product's own lists name, and what is known to stand in the way of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from syncjobs.chaos.world import World
from syncjobs.engine.transactions import Status, Transaction
from syncjobs.engine.values import LinkState


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """By entity: transactions, server ids left behind, marked, or held; columns of both sides.

    `set_aside` are transactions that a person archived. `refused` are records that an
    organization really refuses, or that nobody can read, with the reason, `refused_ever` those of
    all times: what failed then waits for a person.
    """

    transactions: Mapping[str, Sequence[Transaction]]
    left: Mapping[str, AbstractSet[str]]
    marked: Mapping[str, Mapping[str, LinkState]]
    held: Mapping[str, AbstractSet[str]]
    columns: Mapping[str, Sequence[str]]
    set_aside: AbstractSet[int]
    refused: Mapping[str, str]
    refused_ever: AbstractSet[str]

    @classmethod
    def of(cls, world: World) -> Lists:
        """Look at everything as it is now."""
        names = {world.key(name): name for name in world.server.entities}
        memory, held = world.memory, world.memory.held()
        transactions: dict[str, list[Transaction]] = {name: [] for name in names.values()}
        for item in memory.transactions():
            transactions[names[item.entity]].append(item)
        return cls(
            transactions=transactions,
            left={names[key]: set(ids) for key, ids in memory.left().items()},
            marked={
                names[key]: {link.server_id: link.state for link in links.values() if link.state}
                for key, links in memory.links().items()
            },
            held={name: held.get(key, frozenset()) for key, name in names.items()},
            columns={name: sorted(world.columns(name)) for name in names.values()},
            set_aside=set(world.set_aside),
            refused=_refused(world),
            refused_ever=world.server.refused_ever | world.client.refused_ever,
        )

    def of_record(self, entity: str, record_id: str) -> list[Transaction]:
        """Return the transactions of a client record, oldest first."""
        return [item for item in self.transactions[entity] if item.client_id == record_id]

    def waiting(self, entity: str, record_id: str) -> list[Transaction]:
        """Return those that may still be delivered."""
        return [item for item in self.of_record(entity, record_id) if item.is_waiting]

    def was_set_aside(self, entity: str, record_id: str) -> bool:
        """Return whether a person set a change of the record aside."""
        return any(
            item.status is Status.ARCHIVED and item.id in self.set_aside
            for item in self.of_record(entity, record_id)
        )


def _refused(world: World) -> dict[str, str]:
    refused = {**world.server.refused, **world.client.refused}
    for organization in (world.server, world.client):
        faults = organization.faults
        for record_id in faults.always_rejected | faults.unreadable:
            refused.setdefault(record_id, "poison")
    return refused
