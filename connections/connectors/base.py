"""The connector contract: all that the rest of the product may ask of an organization.

One connector speaks to one endpoint. It is a context manager, because most hold an HTTP session.
Everything it returns is in the neutral vocabulary (`organizations.schema`, `.records`, `.query`);
everything it raises is of `connections.errors`. Every connector passes the one suite in
`tests/connections/connectors/contract.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Self

from connections.connectors.defining import Definer
from connections.connectors.facts import DefinitionChanges, ServerFacts
from connections.connectors.limits import Limiter
from connections.connectors.watching import Watcher
from connections.errors import MetadataChanged, Refused
from organizations.query.nodes import Query
from organizations.records import Action, Page, Rendered, Row, Value
from organizations.schema import Attribute, Entity, Label


class VersionCheck(StrEnum):
    """How well a target can check the version a write was based on (design decision 7)."""

    ATOMIC = "atomic"
    READ_BEFORE = "read-before"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who we are where: organization id and name, our user's id, the languages (LCIDs)."""

    organization_id: str
    organization_name: str
    user_id: str
    version: str = ""
    languages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySummary:
    """What a list of entities shows before any of them is read in full.

    `problem` says why the entity cannot be carried, `note` what is particular about carrying it.
    """

    name: str
    label: Label = Label()
    is_intersect: bool = False
    is_activity: bool = False
    is_custom: bool = False
    tracks_changes: bool = False
    can_track_changes: bool = False
    problem: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """What to read of one entity.

    `attributes` are those wanted (the primary id always comes). `query` is the sync filter
    (entity, filter and links count; selection and order are the reader's own business).
    `since` is a checkpoint of an earlier reading: then only what changed later is returned.
    `resume` continues an interrupted reading after its last page.
    """

    entity: Entity
    attributes: tuple[Attribute, ...]
    query: Query | None = None
    since: str | None = None
    resume: str | None = None
    page_size: int = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Writes of one kind to records of one entity.

    `columns` name the values of each row, primary id first; a delete's rows hold the id only.
    `expected` runs parallel to `rows`: the version the target's record must still have, 0 where
    no record may be there yet (creates). With `rendered`, what the target's `render` made of
    them, the rows themselves are not given. `staged` is the target's own handle, set by `stage`.
    `changed`, parallel to the rows of updates, names the columns to write (None: all of them);
    a target may write all the same.
    """

    action: Action
    columns: tuple[str, ...]
    rows: Sequence[Row]
    expected: Sequence[int]
    rendered: Rendered | None = None
    staged: object = None
    changed: Sequence[frozenset[str] | None] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One write of a record by somebody else than us, as the organization remembers it.

    `changes` is {column: (old, new)} in canonical values, of every column that was written; None
    where it is not known which. `at` is None where the time is not known.
    """

    entity: str
    id: str
    action: Action
    version: int
    actor: str = ""
    at: datetime | None = None
    changes: Mapping[str, tuple[Value, Value]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """Edits in the order in which they were made; all up to version `until` are told."""

    items: Sequence[Edit]
    until: int
    is_last: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """What records of an organization's own tracking tell (Advanced Sync Deletion).

    By entity: ids of `deleted` records and removed pairs, and of records with new `owners`.
    `covered` is what is tracked since version `since`, one word for each entity and kind; None
    where the records say nothing about it.
    """

    deleted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    owners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    covered: frozenset[str] | None = None
    since: int = 0


class FailureKind(StrEnum):
    """Why one write of a batch was not carried out."""

    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why one write was not carried out, in words for an administrator.

    A conflict names the version the record has now (0: it is gone).
    """

    kind: FailureKind
    code: str
    message: str
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """How a batch ended. `ids` and `versions` run parallel to its rows.

    An id differs from the one asked for where the target chose it, or where the pair of an
    intersect was there already. `failed` is keyed by position in the batch.
    """

    ids: Sequence[str]
    versions: Sequence[int]
    failed: Mapping[int, Failure] = field(default_factory=dict)


def refused(batch: Batch, code: str, reason: str) -> BatchResult:
    """Return the result of a batch of which nothing is written, for one reason."""
    failure = Failure(kind=FailureKind.REJECTED, code=code, message=reason)
    count = len(batch.rows)
    return BatchResult(
        ids=[str(row[0]) for row in batch.rows],
        versions=[0] * count,
        failed=dict.fromkeys(range(count), failure),
    )


class Connector(ABC):
    """One organization as the rest of the product sees it."""

    backend: str
    version_check: VersionCheck = VersionCheck.NONE
    is_local: bool = False
    """Whether it works on the caller's own database connection, so that only one thread may."""
    tells_all: bool = False
    """Whether no record appears or disappears for us without a change that its feed tells."""
    stamps: bool = False
    """Whether it notes by itself when a record was written, in the record's `modifiedon`."""
    reads_apart: bool = False
    """Whether a forked process can read with its copy: a reading needs nothing but the network."""

    def __enter__(self) -> Self:
        """Open what is needed to talk."""
        return self

    def __exit__(  # noqa: B027 - most connectors hold nothing
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it again."""

    def limit(self, limiter: Limiter) -> None:  # noqa: B027 - what is near has no limits
        """Let every request from now on wait for its turn; called before the first."""

    def settle(self) -> None:  # noqa: B027 - what is near has no books
        """Let the ledger be written if it is time; never inside a transaction."""

    def mark(  # noqa: B027 - not every organization can tell
        self, origin: str, *, bypass: str = "", is_quiet: bool = False
    ) -> None:
        """Mark the writes from now on as ours, so that the organization can tell them.

        `bypass` names the organization's own logic that they leave out, in its words; with
        `is_quiet` they start none of its flows.
        """

    def hurry(self, seconds: float) -> None:  # noqa: B027 - what is near answers at once
        """Give up, by Retryable, when all from now on together takes longer: somebody waits."""

    @abstractmethod
    def identify(self) -> Identity:
        """Prove the login and say who and where we are. Raises LoginFailed, Unreachable."""

    @abstractmethod
    def entities(self) -> Iterator[EntitySummary]:
        """List the entities, cheaply."""

    @abstractmethod
    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        """Yield full metadata, one entity at a time. Raises UnknownEntity."""

    def definition_changes(self, since: str) -> DefinitionChanges | None:
        """Return what of the metadata changed since a stamp (empty: there was none yet).

        None: the organization cannot tell, and gives no stamps.
        """
        return None

    def definer(self) -> Definer | None:
        """Return what writes metadata there; None where no way is known."""
        return None

    def watcher(self) -> Watcher | None:
        """Return what makes web hooks there; None where the organization calls nobody."""
        return None

    def takes_all(self) -> bool:
        """Return whether we may write also what its metadata let nobody write: times, full names.

        Else an organization gives such attributes values of its own, which are not carried to it.
        """
        return False

    def server_facts(self) -> ServerFacts:
        """Return what is worth knowing before the first run, as far as we may see it."""
        return ServerFacts()

    def unreadable(self, entities: Sequence[Entity]) -> Mapping[str, str]:
        """Try to read one record of each; return the names that fail, and why."""
        found = {}
        for entity in entities:
            try:
                self.is_empty(entity)
            except (Refused, MetadataChanged) as error:
                found[entity.name] = str(error)
        return found

    def estimates(self, entities: Sequence[Entity]) -> Mapping[str, int]:
        """Return about how many records each has, without those that are not known."""
        known = ((entity.name, self.estimate(entity)) for entity in entities)
        return {name: count for name, count in known if count is not None}

    @abstractmethod
    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield pages of records: all of them, or those changed since a checkpoint.

        The last page carries the next checkpoint, taken so early that nothing written during
        the reading is missed by the next one. Raises CheckpointExpired, MetadataChanged.
        """

    @abstractmethod
    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        """Yield all record ids inside the filter, in batches, in any order."""

    @abstractmethod
    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        """Return those of `ids` whose records are inside the filter now (design decision 6)."""

    def buckets(
        self, entity: Entity, attributes: Sequence[Attribute], query: Query | None = None
    ) -> Mapping[int, tuple[int, str]] | None:
        """Return number and digest of the records in each bucket of ids, made where they are.

        Two local organizations with the same columns and values have the same digests; equal
        values in another form may have others. None: it cannot digest its records.
        """
        return None

    def hashes(
        self,
        entity: Entity,
        attributes: Sequence[Attribute],
        query: Query | None,
        buckets: Collection[int],
    ) -> Iterator[Sequence[tuple[str, str]]]:
        """Yield id and hash (32 hexadecimal digits) of the records in these buckets."""
        raise Refused(f"A {self.backend} organization does not digest its records.")

    @abstractmethod
    def count(self, entity: Entity, query: Query | None = None) -> int:
        """Count records exactly."""

    def estimate(self, entity: Entity, query: Query | None = None) -> int | None:
        """Return about how many records there are, cheaply, for progress; None: not known."""
        return None

    @abstractmethod
    def highest_version(self, entity: Entity) -> int:
        """Return a version that no record of the entity exceeds now (0: empty, or not known)."""

    def edits(self, names: Collection[str], since: int, *, limit: int = 5000) -> Edits:
        """Return what others than us wrote to these entities since a version, at most `limit`.

        What another connection wrote is told: only our own origin is left out (design 5.1.4).
        Entities that are disabled now are told too; a name that is not known has no edits.
        Raises Refused where the organization keeps no such log, CheckpointExpired where the log
        does not hold everything since that version, or the version was never reached.
        """
        raise Refused(f"Changes made in a {self.backend} organization cannot be collected.")

    def version_at(self, moment: datetime) -> int:
        """Return a version such that no later one was written before that moment."""
        return 0

    def tracking(self, page: Page) -> Tracking:
        """Return what a page of the tracking entity tells.

        Raises Refused where the organization tracks nothing, MetadataChanged where the page has
        other columns than those known.
        """
        raise Refused(f"A {self.backend} organization does not track deletions and owners.")

    @abstractmethod
    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Return those of these records that exist, in any order."""

    @abstractmethod
    def is_empty(self, entity: Entity) -> bool:
        """Return whether the entity has no record at all; cheap."""

    def render(
        self, entity: Entity, columns: Sequence[str], rows: Sequence[Row]
    ) -> Rendered | None:
        """Return rows in the target's bulk form, or None if it has none.

        Needs no connection, so another process can do it before the page's turn comes.
        """
        return None

    def stage(self, entity: Entity, batch: Batch) -> Batch:
        """Bring a batch near the target before any lock is taken; `write` finishes it."""
        return batch

    @abstractmethod
    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Carry out a batch. One bad record costs only itself.

        A hosted target writes in the caller's transaction. Raises Retryable or Refused when
        nothing of the rest can be written.
        """

    def rehearse(self, entity: Entity, batch: Batch) -> BatchResult | None:
        """Return how a batch would end, and leave no trace; None where only writing tells."""
        return None

    def requests_sent(self) -> int:
        """Return how many requests were sent so far, by other processes of ours too."""
        return 0

    def requests_for(self, entity: Entity, action: Action, count: int) -> int:
        """Return about how many requests it takes to write so many records."""
        return 0
