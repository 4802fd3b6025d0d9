"""`RetrieveMetadataChanges`: the definitions a query asks for that changed since a stamp.

Answers hold `Complex…` types; what was not asked for is null. With a stamp only changed elements
come, each with HasChanged true; an entity that only holds changed elements has it null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.http import HttpResponse

from organizations import definitions
from organizations.catalog import versions
from organizations.dynamics import metadata_query, metadata_stamps
from organizations.dynamics.call import Call, answer
from organizations.dynamics.codec import (
    attribute_to_json,
    entity_to_json,
    key_to_json,
    relationship_to_json,
)
from organizations.dynamics.codec.attribute_types import PREFIX
from organizations.dynamics.codec.properties import metadata_id
from organizations.dynamics.errors import bad_request
from organizations.dynamics.metadata_options import Document, in_languages
from organizations.dynamics.metadata_query import ElementQuery, MetadataQuery
from organizations.dynamics.resource import Segment
from organizations.errors import NotFound
from organizations.models import DeletedElement, EntityDefinition
from organizations.schema import Attribute, Entity, Key

NAME = "RetrieveMetadataChanges"
_CHUNK = 20
_FILTERS = {"Entity": 1, "Attribute": 2, "Relationship": 4, "Label": 8, "OptionSet": 16}
_NAMED = _FILTERS | {"Default": 1, "All": 31}
_RELATIONSHIPS = {
    "OneToManyRelationships": "one_to_many",
    "ManyToOneRelationships": "many_to_one",
    "ManyToManyRelationships": "many_to_many",
}
HasChanged = Callable[[str], bool]


def changes(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    """Answer the function. Raises WebApiError 400."""
    given = {name: _argument(call, text) for name, text in segments[0].pairs.items()}
    query = metadata_query.read(given["Query"]) if given.get("Query") else MetadataQuery()
    version = call.catalog.version
    text = given.get("ClientVersionStamp", "")
    since = metadata_stamps.version_of(text, call.organization, version) if text else None
    wanted = _wanted(given.get("DeletedMetadataFilters", ""))
    deleted = {} if since is None else _deleted(call, since, wanted)
    return answer(
        {
            "@odata.context": f"{call.api}$metadata#Microsoft.Dynamics.CRM.{NAME}Response",
            "ServerVersionStamp": metadata_stamps.stamp(version),
            "DeletedMetadata": _collection(deleted),
            "EntityMetadata": list(_entities(call, query, since)),
        }
    )


def _argument(call: Call, text: str) -> str:
    """Return an argument's value: of its alias, if it is one, and without quotes."""
    value = call.aliases.get(text, "") if text.startswith("@") else text
    value = value.strip()
    if value.startswith("'") and value.endswith("'") and len(value) > 1:
        value = value[1:-1].replace("''", "'")
    return "" if value == "null" else value


def _wanted(text: str) -> int:
    """Return the flags of `Microsoft.Dynamics.CRM.DeletedMetadataFilters'All'`."""
    names = text.partition("'")[2].rstrip("'") if "'" in text else text
    flags = 0
    for name in (item.strip() for item in (names or "Default").split(",")):
        if name.isdecimal():
            flags |= int(name)
        elif name in _NAMED:
            flags |= _NAMED[name]
        else:
            raise bad_request(
                f"DeletedMetadataFilters '{name}' is not one of {', '.join(_NAMED)}.",
                metadata_query.INVALID_ARGUMENT,
            )
    return flags


def _entities(call: Call, query: MetadataQuery, since: int | None) -> Iterator[Document]:
    rows = EntityDefinition.objects.filter(organization=call.organization, is_hidden=False)
    if since is not None:
        rows = rows.filter(changed__gt=since)
    for row in rows.order_by("name").iterator(chunk_size=_CHUNK):
        entity = definitions.load(row.document)
        document = entity_to_json(entity, language=call.organization.language, expand=False)
        if query.entities.test(document):
            yield from _changed(call, query, since, row, entity, document)


def _changed(
    call: Call,
    query: MetadataQuery,
    since: int | None,
    row: EntityDefinition,
    entity: Entity,
    document: Document,
) -> Iterator[Document]:
    """Yield an entity, unless nothing that is still there has changed."""

    def is_new(piece: str) -> bool:
        return since is not None and versions.version_of(row, piece) > since

    parts = _parts(entity, query, call.organization.language, is_new, since)
    changed = is_new(versions.ENTITY)
    if since is not None and not changed and not any(parts.values()):
        return
    document |= {
        name: found if query.entities.wants(name) else None for name, found in parts.items()
    }
    shown = query.entities.shown(document) | {"HasChanged": changed or None}
    yield in_languages(shown, query.languages) if query.languages else shown


def _parts(
    entity: Entity, query: MetadataQuery, language: int, is_new: HasChanged, since: int | None
) -> dict[str, list[Document]]:
    """Return what of each list of the entity is asked for, and has changed if that is asked."""

    def attribute(item: Attribute) -> Document:
        return _complex(attribute_to_json(item, entity.name, language=language))

    def key(item: Key) -> Document:
        return key_to_json(item, entity.name, language=language)

    only = None if since is None else is_new
    visible = [item for item in entity.attributes if not item.is_hidden]
    own = {
        "Attributes": _chosen("attribute", visible, query.attributes, attribute, only),
        "Keys": _chosen("key", entity.keys, query.keys, key, only),
    }
    for name, field in _RELATIONSHIPS.items():
        found = getattr(entity, field)
        asked = query.relationships
        own[name] = _chosen("relationship", found, asked, relationship_to_json, only)
    return own


def _chosen(
    kind: str,
    items: Iterable[Any],
    asked: ElementQuery,
    make: Callable[[Any], Document],
    only: HasChanged | None,
) -> list[Document]:
    """Return the elements asked for; with `only`, those that it says have changed."""
    changed = None if only is None else True
    found = (make(item) for item in items if only is None or only(f"{kind}/{item.name}"))
    return [
        asked.shown(document) | {"HasChanged": changed}
        for document in found
        if asked.test(document)
    ]


def _complex(document: Document) -> Document:
    """Return an attribute as the complex type; a global option set stands in both places."""
    kind = document.get("@odata.type")
    own = {**document}
    if kind is not None:
        own["@odata.type"] = f"{PREFIX}Complex{kind.removeprefix(PREFIX)}"
    if "OptionSet" in document:
        options = document["OptionSet"]
        own["GlobalOptionSet"] = options if options and options["IsGlobal"] else None
    return own


def _deleted(call: Call, since: int, wanted: int) -> Mapping[str, list[str]]:
    kinds = [name for name, flag in _FILTERS.items() if flag & wanted]
    gone = DeletedElement.objects.filter(
        organization=call.organization, version__gt=since, kind__in=kinds
    )
    found: dict[str, dict[str, None]] = {}
    for element in gone.order_by("version", "id"):
        if not _is_back(call, element):
            found.setdefault(element.kind, {})[_id_of(element)] = None
    return {kind: list(ids) for kind, ids in found.items()}


def _is_back(call: Call, element: DeletedElement) -> bool:
    """Return whether a relationship that one entity lost is still known at another."""
    if element.kind != DeletedElement.Kind.RELATIONSHIP:
        return False
    try:
        found = call.catalog.relationship(element.name)
    except NotFound:
        return False
    return str(relationship_to_json(found)["MetadataId"]) == _id_of(element)


def _id_of(element: DeletedElement) -> str:
    if element.source_id:
        return element.source_id
    kind = str(element.kind).lower()
    path = (element.entity, element.name) if kind == "attribute" else (element.name,)
    return metadata_id(kind, *path)


def _collection(deleted: Mapping[str, list[str]]) -> Document:
    values = [{"Count": len(ids), "IsReadOnly": False, "Items": ids} for ids in deleted.values()]
    return {"Count": len(deleted), "IsReadOnly": False, "Keys": list(deleted), "Values": values}
