"""Two organizations in memory and a connection between them, for tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from connections.connectors.memory import MemoryConnector, MemoryOrganization
from organizations.query.nodes import Condition, Group, Operator, Query
from organizations.records import Row
from organizations.schema import Attribute, AttributeType, Entity, ManyToMany
from syncjobs.engine.airbag import Guard
from syncjobs.engine.approved import Approved
from syncjobs.engine.planned import Book
from syncjobs.engine.sync import sync
from syncjobs.engine.values import ConflictRule, Counts, EntityTask, Leaving, Options, Report
from tests.syncjobs.engine.memory_queue import MemoryQueue
from tests.syncjobs.engine.memory_state import MemoryReporter, MemoryState

CONNECTION = "5f1e7d0c-0000-4000-8000-000000000001"


def make_attribute(name: str, type: AttributeType, **more: object) -> Attribute:
    return Attribute(name=name, type=type, **more)  # type: ignore[arg-type]


def make_entity(name: str, *attributes: Attribute, **more: object) -> Entity:
    primary = Attribute(name=f"{name}id", type=AttributeType.UNIQUEIDENTIFIER, is_primary_id=True)
    return Entity(
        name=name,
        primary_id=f"{name}id",
        attributes=(primary, *attributes),
        **more,  # type: ignore[arg-type]
    )


def make_entities() -> tuple[Entity, ...]:
    """An account with owner and parent, a user, a tag, and the pairs of accounts and tags."""
    text, lookup = AttributeType.STRING, AttributeType.LOOKUP
    pair = ManyToMany(
        name="accounttags",
        entity1="account",
        attribute1="accountid",
        entity2="tag",
        attribute2="tagid",
        intersect_entity="accounttag",
    )
    ends = (
        make_attribute("accountid", AttributeType.UNIQUEIDENTIFIER),
        make_attribute("tagid", AttributeType.UNIQUEIDENTIFIER),
    )
    return (
        make_entity(
            "account",
            make_attribute("name", text),
            make_attribute("city", text),
            make_attribute("revenue", AttributeType.MONEY, precision=2),
            make_attribute("parentaccountid", lookup, targets=("account",)),
            make_attribute("ownerid", AttributeType.OWNER, targets=("systemuser", "team")),
            make_attribute("parties", AttributeType.PARTYLIST),
            relationships=(pair,),
        ),
        make_entity("accounttag", *ends, relationships=(pair,), is_intersect=True),
        make_entity(
            "systemuser",
            make_attribute("domainname", text),
            make_attribute("internalemailaddress", text),
            make_attribute("fullname", text),
        ),
        make_entity("tag", make_attribute("name", text), relationships=(pair,)),
    )


def make_filter(attribute: str = "city", value: str = "Bratislava") -> Query:
    condition = Condition(attribute, Operator.EQ, (value,))
    return Query(entity="account", filter=Group(children=(condition,)))


@dataclass
class World:
    """A server, a client, what the connection remembers, and a clock that waits for nobody."""

    server: MemoryOrganization
    client: MemoryOrganization
    state: MemoryState
    reporter: MemoryReporter = field(default_factory=MemoryReporter)
    sync_deletion: bool = False
    filters: dict[str, Query] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    now: datetime = datetime(2024, 5, 1, tzinfo=UTC)
    entities: Sequence[str] = ("account", "accounttag", "systemuser", "tag")
    options: Options = Options(read_ahead=False)
    queue: MemoryQueue | None = None
    conflict_rule: ConflictRule = ConflictRule.SERVER
    guard: Guard | None = None
    leaving: Leaving = Leaving.DELETE
    is_tracked: bool = False
    reading: type[MemoryConnector] | None = None

    def tasks(self) -> list[EntityTask]:
        return [self.task(name) for name in self.entities]

    def task(self, name: str) -> EntityTask:
        server = self.server.entity(name)
        return EntityTask(
            key=sorted(self.server.entities).index(name) + 1,
            server=server,
            client=self.client.entity(name),
            attributes=server.attributes,
            query=self.filters.get(name),
            sync_deletion=self.sync_deletion,
            conflict_rule=self.conflict_rule,
            is_tracked=self.is_tracked,
            leaving=self.leaving,
        )

    def sync(
        self,
        *,
        full: bool = False,
        dry_run: bool = False,
        book: Book | None = None,
        approved: Approved | None = None,
    ) -> dict[str, Report]:
        self.reporter = replace(MemoryReporter(), cancel_at=self.reporter.cancel_at)
        self.state.keys = {task.name: task.key for task in self.tasks()}
        options = replace(self.options, sleep=self.waits.append, clock=lambda: self.now)
        reports = sync(
            (self.reading or MemoryConnector)(self.server),
            MemoryConnector(self.client, origin=CONNECTION),
            self.tasks(),
            self.state,
            self.reporter,
            queue=self.queue,
            guard=self.guard,
            full=full,
            dry_run=dry_run,
            book=book,
            approved=approved,
            options=options,
        )
        return {report.entity: report for report in reports}

    def counts(
        self, entity: str = "account", *, full: bool = False, dry_run: bool = False
    ) -> Counts:
        return self.sync(full=full, dry_run=dry_run)[entity].counts

    def rows(self, side: str, entity: str = "account") -> dict[str, Row]:
        organization = self.server if side == "server" else self.client
        return {item: stored.row for item, stored in organization.tables[entity].items()}

    def later(self, time: timedelta) -> None:
        self.now += time


def make_world(*, page_size: int = 2, hosted: bool = True, **more: object) -> World:
    entities = make_entities()
    client = MemoryOrganization.of("client", entities)
    return World(
        server=MemoryOrganization.of("server", entities, page_size=page_size),
        client=client,
        state=MemoryState(hosted=client if hosted else None),
        **more,  # type: ignore[arg-type]
    )


def make_accounts(
    world: World, count: int, values: Callable[[int], Mapping[str, object]] | None = None
) -> list[str]:
    make = values or (lambda number: {"name": f"Account {number}", "revenue": number})
    return [world.server.create("account", make(number)) for number in range(count)]
