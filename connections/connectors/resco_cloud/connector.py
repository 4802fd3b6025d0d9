"""The connector to a Resco Cloud organization: the contract, delegated by noun."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from connections.connectors.base import (
    Batch,
    BatchResult,
    Edits,
    EntitySummary,
    Identity,
    ReadRequest,
    VersionCheck,
)
from connections.connectors.defining import Definer
from connections.connectors.http import Patience
from connections.connectors.remote import RemoteConnector
from connections.connectors.resco_cloud import queries
from connections.connectors.resco_cloud.asking import Asking
from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.defining import ExtensionDefiner
from connections.connectors.resco_cloud.deletions import Deletions
from connections.connectors.resco_cloud.edits import EditLog
from connections.connectors.resco_cloud.fetching import Fetching
from connections.connectors.resco_cloud.metadata import Definitions, identity, is_extended
from connections.connectors.resco_cloud.odata_reading import ODataReading
from connections.connectors.resco_cloud.odata_sending import ASKED
from connections.connectors.resco_cloud.reading import Reading
from connections.connectors.resco_cloud.shapes import Shape
from connections.connectors.resco_cloud.watching import HookWatcher
from connections.connectors.resco_cloud.writing import PORTION, Writer
from connections.connectors.watching import Watcher
from connections.egress import Session
from connections.errors import LoginFailed
from connections.logins import Keeper, LoginKind
from organizations.query.nodes import Query
from organizations.records import Action, Page
from organizations.schema import Attribute, Entity


class RescoCloudConnector(RemoteConnector):
    """Speaks to one Resco Cloud organization as one of its users."""

    client: RescoClient
    backend = "resco_cloud"
    version_check = VersionCheck.READ_BEFORE
    stamps = True  # its apps tell a conflict by a moved `modifiedon` (resco.md §4.7)
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
        is_atomic: bool = False,
        session: Session | None = None,
        patience: Patience | None = None,
    ) -> None:
        """`session`, `patience`: for tests. `authority` and `keeper` are for tokens: not used.

        `is_atomic`: the organization checks the version of what is changed or deleted, by OData,
        and records are read by OData too. Raises LoginFailed for a login of another `kind` than a
        password.
        """
        if kind != LoginKind.SECRET:
            raise LoginFailed("Resco Cloud takes a login by user name and password only.")
        self.client = RescoClient(url, user_name, secret, session=session, patience=patience)
        self._definitions = Definitions(self.client)
        fetching = Fetching(self.client)
        way = ODataReading(fetching) if is_atomic else fetching
        self._asking = Asking(self.client, self._definitions, way)
        self._deletions = Deletions(self._asking)
        self._is_atomic = is_atomic
        self.version_check = VersionCheck.ATOMIC if is_atomic else VersionCheck.READ_BEFORE

    def identify(self) -> Identity:
        """Prove the login by WhoAmI."""
        return identity(self.client.post("WhoAmI"), self.client.where)

    def entities(self) -> Iterator[EntitySummary]:
        """List the entities that are not hidden."""
        return self._definitions.summaries()

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        """Yield full metadata, labels in all languages that the organization tells."""
        return self._definitions.describe(names)

    def definer(self) -> Definer | None:
        """Return the writer of metadata, where the organization serves our extension."""
        served = is_extended(self.client.post("WhoAmI"))
        return ExtensionDefiner(self.client, self._definitions) if served else None

    def takes_all(self) -> bool:
        """Say yes for organizations hosted by this product, whose services take every value."""
        return self._definitions.are_ours

    def watcher(self) -> Watcher:
        """Return the maker of web hooks."""
        return HookWatcher(self.client)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield pages by row version; see `reading` for how."""
        return Reading(self._asking, self._deletions, request).pages()

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        """Yield all ids inside the filter; one that is changed meanwhile may come twice."""
        shape = Shape.of(entity, ())
        asked = queries.selecting(entity, (entity.primary_id,), query)
        for part in self._asking.all(shape, asked):
            if part.rows:
                yield [str(row[0]) for row in part.rows]

    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        """Return those inside the filter now."""
        return set(self._asking.by_ids(Shape.of(entity, ()), ids, query).by_id())

    def count(self, entity: Entity, query: Query | None = None) -> int:
        """Ask for the number."""
        return self._asking.count(entity, query)

    def estimate(self, entity: Entity, query: Query | None = None) -> int | None:
        """Return the exact number; counting is one request."""
        return self.count(entity, query)

    def highest_version(self, entity: Entity) -> int:
        """Return the row version of the record that was written last."""
        return self._asking.highest(entity)

    def edits(self, names: Collection[str], since: int, *, limit: int = 5000) -> Edits:
        """Return which records were written since a version, ours among them (`edits`)."""
        return self._log().edits(names, since, limit)

    def version_at(self, moment: datetime) -> int:
        """Return the highest version of what was modified before that moment."""
        return self._log().version_at(moment)

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Return those of the records that exist."""
        shape = Shape.of(entity, [attribute.name for attribute in attributes])
        found = self._asking.by_ids(shape, ids)
        return Page(
            entity=entity.name,
            columns=shape.names,
            rows=found.rows,
            versions=found.versions,
            rejected=found.rejected,
        )

    def is_empty(self, entity: Entity) -> bool:
        """Ask for one record."""
        shape = Shape.of(entity, ())
        asked = queries.selecting(entity, (entity.primary_id,), None, size=1)
        return not self._asking.page(shape, asked).found.last

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write by ExecuteMultiple; changes and deletions by OData where that is wanted."""
        return Writer(self._asking, entity, self._is_atomic).write(batch)

    def requests_for(self, entity: Entity, action: Action, count: int) -> int:
        """Count the calls for each portion: one before, the writing, and one after."""
        portions = -(-count // PORTION)
        if not self._is_atomic or action is Action.CREATE or entity.is_intersect:
            return portions * (2 if action is Action.DELETE else 3)
        asked = -(-count // ASKED)
        return asked + count + portions * (1 if action is Action.DELETE else 2)

    def _log(self) -> EditLog:
        return EditLog(self._asking, self._deletions, lambda: datetime.now(UTC))
