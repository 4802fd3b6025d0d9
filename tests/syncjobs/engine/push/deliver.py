"""A world in memory whose client's changes are collected and delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connections.connectors.memory import MemoryConnector, MemoryOrganization
from syncjobs.engine.collect import Source, collect
from syncjobs.engine.push.delivery import Delivery
from syncjobs.engine.push.pushing import push
from syncjobs.engine.transactions import Action, Changed, Status, Transaction
from syncjobs.engine.values import ConflictRule, Counts, EntityTask, Options
from tests.syncjobs.engine.memory_queue import MemoryQueue
from tests.syncjobs.engine.memory_state import MemoryReporter, MemoryState
from tests.syncjobs.engine.world import CONNECTION, World, make_entities


@dataclass
class TwoWays(World):
    """A world with a queue; `rule` decides conflicts."""

    rule: ConflictRule = ConflictRule.SERVER

    @property
    def line(self) -> MemoryQueue:
        """The queue, which it always has."""
        assert self.queue is not None
        return self.queue

    def task(self, name: str) -> EntityTask:
        return replace(super().task(name), conflict_rule=self.rule)

    def collect(self) -> None:
        """Only collect."""
        self._prepare()
        _, client = self._connectors()
        source = Source(
            client=client,
            state=self.state,
            queue=self.line,
            reporter=self.reporter,
            options=self._options(),
        )
        collect(source, self.tasks())

    def push(self) -> dict[str, Counts]:
        """Collect and push, without a pull."""
        self.collect()
        return self.deliver()

    def deliver(self) -> dict[str, Counts]:
        """Only push."""
        self._prepare()
        server, client = self._connectors()
        delivery = Delivery(
            server=server,
            client=client,
            state=self.state,
            queue=self.line,
            reporter=self.reporter,
            translations=self.state.translations(["systemuser"]),
            options=self._options(),
        )
        return dict(push(delivery, self.tasks()).counts)

    def transactions(self, *statuses: Status) -> list[Transaction]:
        """Return the transactions of these statuses, or all."""
        return [item for item in self.line.transactions if not statuses or item.status in statuses]

    def transaction(self, *statuses: Status) -> Transaction:
        """Return the only one."""
        (found,) = self.transactions(*statuses)
        return found

    def history(self) -> list[str]:
        """Return why transactions became what they are."""
        return [why for _, _, why in self.line.saved.history]

    def writes(self) -> int:
        """Return how many writes the server's log holds."""
        return len(self.server.log)

    def _prepare(self) -> None:
        self.reporter = replace(MemoryReporter(), cancel_at=self.reporter.cancel_at)
        self.state.keys = {task.name: task.key for task in self.tasks()}

    def _connectors(self) -> tuple[MemoryConnector, MemoryConnector]:
        return (
            MemoryConnector(self.server, origin=CONNECTION),
            MemoryConnector(self.client, origin=CONNECTION),
        )

    def _options(self) -> Options:
        return replace(self.options, sleep=self.waits.append, clock=lambda: self.now)


def make_two_ways(
    rule: ConflictRule = ConflictRule.SERVER,
    *,
    page_size: int = 5000,
    entities: Sequence[str] = ("account", "accounttag", "systemuser", "tag"),
) -> TwoWays:
    known = make_entities()
    client = MemoryOrganization.of("client", known)
    state = MemoryState(hosted=client)
    return TwoWays(
        server=MemoryOrganization.of("server", known, page_size=page_size),
        client=client,
        state=state,
        queue=MemoryQueue(state),
        rule=rule,
        entities=entities,
    )


def make_both(world: TwoWays, count: int = 1, **values: object) -> list[str]:
    """Make accounts on the server and carry them to the client."""
    given = {"name": "Both", "city": "Brno", **values}
    made = [world.server.create("account", given) for _ in range(count)]
    world.sync()
    return made


def put_in(
    world: TwoWays,
    entity: str,
    client_id: str,
    action: Action,
    changes: Mapping[str, Changed] | None,
) -> None:
    """Put a change into the queue that nobody collected."""
    version = world.client.version
    made = Transaction(
        entity=world.task(entity).key,
        client_id=client_id,
        action=action,
        version=version,
        first_version=version,
        changes=changes,
    )
    with world.state.page():
        world.state.hold()
        world.line.add([made])
