"""The connector to Dynamics 365 (Dataverse Web API v9.2): the contract, delegated by noun."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connections.addresses import target_of
from connections.connectors.base import (
    Batch,
    BatchResult,
    EntitySummary,
    Identity,
    ReadRequest,
    Tracking,
    VersionCheck,
    refused,
)
from connections.connectors.dynamics import changes, difficult, fetching, preflight, tracking
from connections.connectors.dynamics.bodies import SetNames
from connections.connectors.dynamics.bulk import BulkActions
from connections.connectors.dynamics.client import DynamicsClient, with_query
from connections.connectors.dynamics.columns import Shape
from connections.connectors.dynamics.marks import Marks
from connections.connectors.dynamics.metadata import Definitions
from connections.connectors.dynamics.parties import Parties
from connections.connectors.dynamics.reading import Reading
from connections.connectors.dynamics.tokens import Way
from connections.connectors.dynamics.values import PageDecoder
from connections.connectors.dynamics.writing import Writer
from connections.connectors.facts import DefinitionChanges, ServerFacts
from connections.connectors.http import Patience
from connections.connectors.remote import RemoteConnector
from connections.egress import Session
from connections.logins import Forgetful, Keeper, Login, LoginKind
from organizations.query.nodes import Query
from organizations.records import Action, Page
from organizations.schema import Attribute, Entity

_COUNT_CAP = 5000
"""``/$count`` never says more (dataverse.md §3.1)."""


class DynamicsConnector(RemoteConnector):
    """Speaks to one Dynamics organization as one user, or as an application (GUID user name)."""

    client: DynamicsClient
    backend = "dynamics"
    version_check = VersionCheck.ATOMIC
    stamps = True
    reads_apart = True

    def __init__(
        self,
        url: str,
        user_name: str,
        secret: str,
        *,
        authority: str = "",
        kind: str = LoginKind.SECRET,
        keeper: Keeper | None = None,
        session: Session | None = None,
        patience: Patience | None = None,
    ) -> None:
        """`authority`: a token authority a person confirmed. `session`, `patience`: for tests.

        `kind` says what the secret is; `keeper` keeps the refresh token of a sign-in.
        """
        login = Login(user_name.strip(), secret, LoginKind(kind), keeper or Forgetful())
        self.client = DynamicsClient(
            url, login, authority=authority, session=session, patience=patience
        )
        self._sets = SetNames(self.client)
        self._actions = BulkActions(self.client)
        self.marks = Marks()
        self._definitions = Definitions(self.client)

    def mark(self, origin: str, *, bypass: str = "", is_quiet: bool = False) -> None:
        """Send these with every write from now on (dataverse.md §4.5)."""
        self.marks = Marks(tag=origin, bypass=bypass, is_quiet=is_quiet)

    def identify(self) -> Identity:
        """Prove the login by WhoAmI (dataverse.md §1.3)."""
        who = self.client.get_json("WhoAmI")
        languages = self._told("RetrieveAvailableLanguages()").get("LocaleIds", ())
        return Identity(
            organization_id=str(who["OrganizationId"]).lower(),
            organization_name=self._name(),
            user_id=str(who["UserId"]).lower(),
            version=str(self._told("RetrieveVersion()").get("Version", "")),
            languages=tuple(int(lcid) for lcid in languages),
        )

    def entities(self) -> Iterator[EntitySummary]:
        """List the entities."""
        return self._definitions.summaries()

    def definition_changes(self, since: str) -> DefinitionChanges | None:
        """Return what changed of the metadata, by RetrieveMetadataChanges."""
        return self._definitions.changes(since)

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        """Yield full metadata, one entity at a time."""
        return self._definitions.describe(names)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield pages; see `reading` for how."""
        return Reading(self.client, request).pages()

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        """Yield all ids inside the filter."""
        return fetching.ids(self.client, entity, query)

    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        """Return those inside the filter."""
        return fetching.matching(self.client, entity, query, ids)

    def count(self, entity: Entity, query: Query | None = None) -> int:
        """Count exactly: by ``/$count`` while that is below its cap, else by reading ids."""
        if query is None:
            text = self.client.get(f"{entity.set_name}/$count").decode("utf-8-sig").strip()
            if text.isdigit() and int(text) < _COUNT_CAP:
                return int(text)
        return sum(map(len, self.ids(entity, query)))

    def estimate(self, entity: Entity, query: Query | None = None) -> int | None:
        """Return the server's own snapshot, up to a day old; it knows none for a filter."""
        return self.estimates([entity]).get(entity.name) if query is None else None

    def estimates(self, entities: Sequence[Entity]) -> Mapping[str, int]:
        """Return the server's own snapshots, many in one request."""
        return preflight.counts(self.client, [entity.name for entity in entities])

    def server_facts(self) -> ServerFacts:
        """Return our roles, how long change tokens live, and the limits the server tells."""
        return preflight.facts(self.client)

    def unreadable(self, entities: Sequence[Entity]) -> Mapping[str, str]:
        """Try to read one record of each, many in one request."""
        return preflight.unreadable(self.client, entities)

    def highest_version(self, entity: Entity) -> int:
        """Return the highest versionnumber; 0 for an entity without."""
        return changes.low_water(self.client, entity, Way.VERSION)

    def tracking(self, page: Page) -> Tracking:
        """Return what a page of Mobile Tracking tells."""
        return tracking.read(page)

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Return those of the records that exist."""
        shape = Shape.of(entity, attributes)
        found = fetching.fetch(self.client, PageDecoder(shape), ids)
        found = Parties(self.client, shape).fill(found)
        return Page(
            entity=entity.name,
            columns=shape.names,
            rows=found.rows,
            versions=found.versions,
            rejected=found.rejected,
        )

    def is_empty(self, entity: Entity) -> bool:
        """Ask for one record."""
        path = with_query(entity.set_name, select=entity.primary_id, top="1")
        return not self.client.get_json(path).get("value")

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write what can be written; rows of some tables never are (`difficult`)."""
        if reason := difficult.write_refusal(entity.name):
            return refused(batch, "read-only", reason)
        return Writer(self.client, entity, self._sets, self._actions, self.marks).write(batch)

    def requests_for(self, entity: Entity, action: Action, count: int) -> int:
        """Count the bulk calls, or the batches, that so many records take."""
        return self._actions.requests_for(entity, action, count)

    def _name(self) -> str:
        rows = self._told(with_query("organizations", select="name")).get("value") or [{}]
        return str(rows[0].get("name") or target_of(self.client.root).host)

    def _told(self, path: str) -> dict[str, Any]:
        """What is good to know but may be denied to the user, or unknown to an older server."""
        reply = self.client.send("GET", path)
        return self.client.json_of(reply) if reply.status == 200 else {}
