"""At which schema version each piece of an entity's metadata last changed, and what went.

A piece is the entity's own properties (`entity`), one attribute, key, relationship or local
option set (`attribute/name`…). What is hidden counts as gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from organizations.models import DeletedElement, EntityDefinition, Organization
from organizations.schema import OptionSet

ENTITY = "entity"
_LISTS = {"attributes": "attribute", "keys": "key", "relationships": "relationship"}
_KINDS = {
    "entity": DeletedElement.Kind.ENTITY,
    "attribute": DeletedElement.Kind.ATTRIBUTE,
    "relationship": DeletedElement.Kind.RELATIONSHIP,
    "optionset": DeletedElement.Kind.OPTION_SET,
}
_SOURCE_ID = "MetadataId"
Document = Mapping[str, Any]


def record(row: EntityDefinition, before: Document | None, version: int) -> None:
    """Note what differs between `before` and the row's document; the row is not saved here."""
    old, new = _pieces(before), _pieces(row.document)
    if not old:
        row.defined, row.changes = version, {}
    changed = {name for name, piece in new.items() if old.get(name) != piece}
    gone = old.keys() - new.keys()
    if changed or gone:
        row.changed = version
    if old:
        kept = {name: at for name, at in row.changes.items() if name in new}
        row.changes = kept | dict.fromkeys(sorted(changed), version)
    _remember(row.organization_id, row.name, {name: old[name] for name in gone}, version)
    if DeletedElement.objects.filter(organization_id=row.organization_id, entity=row.name).exists():
        _returned(row, changed - old.keys())


def forget(row: EntityDefinition, version: int) -> None:
    """Note that a whole entity goes."""
    _remember(row.organization_id, row.name, _pieces(row.document), version)


def forget_option_set(organization: Organization, options: OptionSet, version: int) -> None:
    """Note that a global option set goes."""
    pieces = {f"optionset/{options.name}": {"extras": options.extras}}
    _remember(organization.pk, "", pieces, version)


def version_of(row: EntityDefinition, piece: str) -> int:
    """Return the schema version at which a piece last changed."""
    return int(row.changes.get(piece, row.defined))


def _pieces(document: Document | None) -> dict[str, Document]:
    if document is None or document.get("is_hidden"):
        return {}
    own = {name: value for name, value in document.items() if name not in _LISTS}
    found: dict[str, Document] = {ENTITY: own}
    for listed, kind in _LISTS.items():
        for item in document.get(listed, ()):
            if not item.get("is_hidden"):
                found[f"{kind}/{item['name']}"] = item
    return found | dict(_option_sets(document))


def _option_sets(document: Document) -> Iterable[tuple[str, Document]]:
    for attribute in document.get("attributes", ()):
        options = attribute.get("option_set")
        if options and not options.get("is_global") and not attribute.get("is_hidden"):
            yield f"optionset/{options['name']}", options


def _remember(
    organization_id: UUID, entity: str, gone: Mapping[str, Document], version: int
) -> None:
    found = ((name.partition("/"), piece) for name, piece in gone.items())
    DeletedElement.objects.bulk_create(
        DeletedElement(
            organization_id=organization_id,
            kind=_KINDS[kind],
            entity=entity,
            name=name or entity,
            source_id=_source_id(piece),
            version=version,
        )
        for (kind, _, name), piece in found
        if kind in _KINDS
    )


def _returned(row: EntityDefinition, names: Iterable[str]) -> None:
    """Take what is there again, under the id it had, off the list of what is gone."""
    back = _pieces(row.document)
    for piece in names:
        kind, _, name = piece.partition("/")
        if kind in _KINDS:
            DeletedElement.objects.filter(
                organization_id=row.organization_id,
                kind=_KINDS[kind],
                entity=row.name,
                name=name or row.name,
                source_id=_source_id(back[piece]),
            ).delete()


def _source_id(piece: Document) -> str:
    return str((piece.get("extras") or {}).get(_SOURCE_ID) or "")
