"""Metadata of the organization: `$entities`, `$localizations`, and who we are (resco.md §2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from lxml import etree

from connections.connectors.base import EntitySummary, Identity
from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.faults import not_understood
from connections.connectors.resco_cloud.markup import children, is_true, text_of
from connections.errors import Refused, UnknownEntity
from organizations.errors import InvalidRequest
from organizations.rest.codec import Labels, read_entity, read_labels
from organizations.schema import ENGLISH, Entity, ManyToMany
from organizations.values import guid

DELETED = "trackingdelete"
EXTENSION = "MetadataExtension"
"""The element of WhoAmI by which organizations hosted by this product tell who may define."""
KEPT_BACK = frozenset({DELETED, "migrate_transaction", "migrate_log"})
"""Entities by which an organization keeps book of itself: nobody carries them to another."""


@dataclass(slots=True)
class Definitions:
    """The metadata, read once."""

    client: RescoClient
    _elements: dict[str, etree._Element] = field(default_factory=dict)
    _labels: dict[int, Labels] = field(default_factory=dict)
    _known: dict[str, Entity] = field(default_factory=dict)
    _pairs: tuple[ManyToMany, ...] = ()
    _is_ours: bool = False

    @property
    def are_ours(self) -> bool:
        """Return whether this product keeps them, and we may define them."""
        self._load()
        return self._is_ours

    def forget(self) -> None:
        """Let everything be read again."""
        self._elements, self._labels, self._known, self._pairs = {}, {}, {}, ()

    def summaries(self) -> Iterator[EntitySummary]:
        """List the entities that can be carried, and those that cannot with the reason."""
        self.forget()
        self._load()
        for name in self._elements:
            if name in KEPT_BACK:
                continue
            try:
                entity = self._read(name)
            except InvalidRequest as error:
                yield EntitySummary(name=name, problem=str(error))
                continue
            if not entity.is_hidden:
                yield EntitySummary(
                    name=name,
                    label=entity.label,
                    is_intersect=entity.is_intersect,
                    is_activity=entity.is_activity,
                    is_custom=entity.is_custom,
                    tracks_changes=True,
                )

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        """Yield full metadata. Raises UnknownEntity, and Refused for what cannot be read."""
        self._load()
        for name in names:
            entity = self.find(name)
            if entity is None or entity.is_hidden:
                raise UnknownEntity(name)
            yield entity

    def find(self, name: str) -> Entity | None:
        """Return an entity, hidden or not; None where there is none. Raises Refused."""
        self._load()
        if name not in self._elements:
            return None
        try:
            entity = self._read(name)
        except InvalidRequest as error:
            raise Refused(f"The metadata of '{name}' cannot be read: {error}") from error
        pairs = (pair for pair in self._pairs if entity.name in (pair.entity1, pair.entity2))
        return replace(entity, relationships=tuple(dict.fromkeys((*entity.relationships, *pairs))))

    def _read(self, name: str) -> Entity:
        if name not in self._known:
            self._known[name] = read_entity(self._elements[name], self._labels)
        return self._known[name]

    def _load(self) -> None:
        if self._elements:
            return
        who_am_i = self.client.post("WhoAmI")
        self._is_ours = is_extended(who_am_i)
        for lcid in languages(who_am_i):
            found, labels = self._localizations(lcid)
            self._labels[found] = labels
        root = self.client.metadata("$entities")
        self._elements = {item.get("Name", ""): item for item in children(root)}
        self._elements.pop("", None)
        self._pairs = tuple(self._found_pairs())

    def _localizations(self, lcid: int) -> tuple[int, Labels]:
        root = self.client.metadata("$localizations", lcid=str(lcid))
        try:
            return read_labels(root)
        except InvalidRequest as error:
            raise not_understood(self.client.where, str(error)) from error

    def _found_pairs(self) -> Iterator[ManyToMany]:
        """Relationships have no list of their own: each is an intersect entity (§2.3)."""
        for name, element in self._elements.items():
            if "Intersect" not in element.get("EntityAttributes", "").split():
                continue
            try:
                pair = self._read(name).intersect
            except InvalidRequest:
                continue  # it is listed with this as its problem
            if pair is not None:
                yield pair


def identity(root: etree._Element, where: str) -> Identity:
    """Return who an answer of WhoAmI says we are (§1.4). Raises Retryable."""
    try:
        organization, user = guid(text_of(root, "OrganizationId")), text_of(root, "UserId")
        return Identity(
            organization_id=organization,
            organization_name=root.get("OrganizationName", "") or where,
            user_id=guid(user) if user else "",
            version=text_of(root, "OrganizationVersion"),
            languages=languages(root),
        )
    except ValueError as error:
        raise not_understood(where, f"WhoAmI without ids ({error}).") from error


def is_extended(who_am_i: etree._Element) -> bool:
    """Return whether WhoAmI says that we may write metadata."""
    return is_true(text_of(who_am_i, EXTENSION))


def languages(root: etree._Element) -> tuple[int, ...]:
    """Return the languages that WhoAmI tells, else English (assumed).

    No call that lists them is known; `Languages` is an addition of organizations hosted here.
    """
    told = text_of(root, "Languages").replace(";", " ").split()
    return tuple(int(lcid) for lcid in told if lcid.isdigit()) or (ENGLISH,)


def missing_in(entity: Entity | None, names: Iterable[str]) -> str:
    """Return the first of these attributes that an entity does not have, '' if it has all."""
    known: Mapping[str, object] = {item.name: item for item in entity.attributes} if entity else {}
    return next((name for name in sorted(names) if name not in known), "")
