"""What of a server's metadata has to be read, by the stamp of what was taken over before.

A stamp is worth nothing alone: entities that could not be wholly taken over then (`behind`) are
read every time, because what holds them up may be mended on the client.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connections.connectors.base import (
    Connector,
)
from connections.connectors.facts import DefinitionChanges
from connections.metadata.plan import MetadataPlan, Verb
from organizations.catalog import Catalog

FORMAT = "1:"
"""Grows whenever more of the metadata is read than before: then everything is read once again."""
RENEWED_AFTER = timedelta(days=7)
"""A stamp that is not used for long expires (after 90 days as a rule, dataverse.md §2.4)."""
MOST_DELETED = 200
"""Deleted elements whose owners are looked for; beyond it reading everything is quicker."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """How far a client has the server's metadata; empty text: it never had a stamp."""

    text: str = ""
    behind: tuple[str, ...] = ()
    at: datetime | None = None


NEVER = Stamp()


@dataclass(frozen=True, slots=True)
class Scope:
    """What has to be read: `names`, None for everything. `stamp` holds from now on.

    `known` counts the entities the client has from the server; 0 where everything is read.
    """

    stamp: str = ""
    names: frozenset[str] | None = None
    known: int = 0

    @property
    def is_nothing(self) -> bool:
        """Return whether the client has everything as it is."""
        return self.names is not None and not self.names


def scope(server: Connector, catalog: Catalog, before: Stamp) -> Scope:
    """Ask the server what changed since `before`."""
    since = before.text.removeprefix(FORMAT) if before.text.startswith(FORMAT) else ""
    found = server.definition_changes(since)
    if found is None:
        return Scope()
    stamp = FORMAT + found.stamp
    names = None if found.is_everything else _names(catalog, found)
    if names is None:
        return Scope(stamp=stamp)
    return Scope(stamp=stamp, names=names | set(before.behind), known=catalog.taken_over())


def after(scope: Scope, before: Stamp, plan: MetadataPlan) -> Stamp:
    """Return the stamp to keep when `plan` was taken over."""
    blocked = (
        entity.entity
        for entity in plan.entities
        if any(item.verb is Verb.BLOCK for item in entity.items)
    )
    return Stamp(text=scope.stamp, behind=tuple(sorted(blocked)), at=before.at)


def is_due(before: Stamp, now: datetime) -> bool:
    """Return whether a stamp is so old that it should be replaced although nothing changed."""
    return before.at is None or now - before.at > RENEWED_AFTER


def _names(catalog: Catalog, found: DefinitionChanges) -> frozenset[str] | None:
    """Return the entities to read again; None when the owners of what is gone are not known."""
    if not found.deleted:
        return found.entities
    if len(found.deleted) > MOST_DELETED:
        return None
    owners = catalog.owners(found.deleted)
    if len(owners) < len(found.deleted):
        return None
    return found.entities.union(*owners.values())
