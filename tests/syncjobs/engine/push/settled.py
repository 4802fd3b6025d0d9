"""One transaction whose delivery is settled, in a world in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connections.connectors.memory import MemoryConnector
from organizations.records import Action, Row, Value
from syncjobs.engine.push.cases import Case, Send
from syncjobs.engine.push.delivery import Delivery, Entities
from syncjobs.engine.push.settling import Results
from syncjobs.engine.transactions import Action as Queued
from syncjobs.engine.transactions import Changed, Transaction
from syncjobs.engine.values import LinkRow
from tests.syncjobs.engine.push.deliver import TwoWays, make_two_ways, put_in

KEY = 1
RENAMED = {"name": Changed("Old", "New"), "city": Changed(None, "Brno")}


class Settling:
    """One transaction in a queue, a link, and what is made of them."""

    def __init__(
        self,
        action: Queued = Queued.UPDATE,
        changes: Mapping[str, Changed] | None = RENAMED,
        **more: object,
    ) -> None:
        self.world: TwoWays = make_two_ways()
        world = self.world
        delivery = Delivery(
            server=MemoryConnector(world.server),
            client=MemoryConnector(world.client),
            state=world.state,
            queue=world.line,
            reporter=world.reporter,
            translations={},
            options=replace(world.options, clock=lambda: world.now),
        )
        self.results = Results(delivery, Entities.of(delivery, world.tasks()).by_key[KEY])
        put_in(world, "account", "c", action, changes)
        made = replace(world.transaction(), version=5, **more)  # type: ignore[arg-type]
        self._write(made)
        ends, tried = self.results.ends, made.attempts
        self.case = Case(transaction=made, ends=ends, link=make_link(), tried=tried)

    def _write(self, made: Transaction) -> None:
        with self.world.state.page():
            self.world.state.hold()
            self.world.line.save([made])
            self.world.state.save_links(KEY, [make_link()])
        del self.world.line.saved.history[:]

    def save(self) -> list[Transaction]:
        """Save; return the transactions as they are then, the given one first."""
        self.results.save()
        return sorted(self.world.transactions(), key=lambda item: item.id)

    def links(self) -> dict[str, LinkRow]:
        return dict(self.world.state.links(KEY, ["s", "t"]))

    def row(self, **values: Value) -> Row:
        columns = self.case.ends.layout.columns
        return tuple("c" if at == 0 else values.get(name) for at, name in enumerate(columns))

    def send(self, action: Action = Action.UPDATE, **more: object) -> Send:
        row = self.row(name="New")
        return Send(action=action, row=row, sent=row, expected=3, **more)  # type: ignore[arg-type]


def make_link(server_id: str = "s", *, version: int = 3, client_version: int = 2) -> LinkRow:
    return LinkRow(server_id, "c", version, client_version, "0" * 32)
