"""EntityDefinitions and what hangs on them: attributes, casts, keys, relationships."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse

from organizations.dynamics import metadata_options as options
from organizations.dynamics.call import Call, answer
from organizations.dynamics.codec import (
    attribute_to_json,
    entity_to_json,
    key_to_json,
    relationship_to_json,
)
from organizations.dynamics.codec.attribute_types import cast_of
from organizations.dynamics.errors import unknown_definition, unknown_segment
from organizations.dynamics.metadata_options import Document, Options
from organizations.dynamics.resource import Segment
from organizations.errors import NotFound
from organizations.schema import AttributeType, Entity

CAST = "Microsoft.Dynamics.CRM."
_OPTION_SETS = ("OptionSet", "GlobalOptionSet")
_UNIQUE = "UniqueIdentifierAttributeMetadata"


@dataclass(frozen=True, slots=True)
class _Kind:
    """One list on an entity: its type for messages, its documents in full."""

    type: str
    documents: Callable[[Entity, int], list[Document]]
    name: str = "SchemaName"


def _attributes(entity: Entity, language: int) -> list[Document]:
    visible = (item for item in entity.attributes if not item.is_hidden)
    return [attribute_to_json(item, entity.name, language=language) for item in visible]


_KINDS: Mapping[str, _Kind] = {
    "Attributes": _Kind("AttributeMetadata", _attributes, "LogicalName"),
    "Keys": _Kind(
        "EntityKeyMetadata",
        lambda entity, language: [
            key_to_json(item, entity.name, language=language) for item in entity.keys
        ],
        "LogicalName",
    ),
    "OneToManyRelationships": _Kind(
        "OneToManyRelationshipMetadata",
        lambda entity, _: [relationship_to_json(item) for item in entity.one_to_many],
    ),
    "ManyToOneRelationships": _Kind(
        "OneToManyRelationshipMetadata",
        lambda entity, _: [relationship_to_json(item) for item in entity.many_to_one],
    ),
    "ManyToManyRelationships": _Kind(
        "ManyToManyRelationshipMetadata",
        lambda entity, _: [relationship_to_json(item) for item in entity.many_to_many],
    ),
}


def definitions(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    """Answer a path that begins with EntityDefinitions. Raises WebApiError."""
    first, *rest = segments
    if not first.called:
        if rest:
            raise unknown_segment(rest[0].name)
        return _list(call)
    entity = entity_of(call, first)
    if not rest:
        return _single(call, entity)
    return _beneath(call, entity, rest)


def _list(call: Call) -> HttpResponse:
    chosen = options.read(call.options, call.aliases)
    visible = (item for item in call.catalog.entities() if not item.is_hidden)
    found = [
        document
        for entity in visible
        for document in options.passing([_bare(call, entity)], chosen)
        if document.update(_expanded(call, entity, chosen)) is None
    ]
    own: Document = {"@odata.context": context(call, "EntityDefinitions", chosen)}
    if call.options.get("$count", "").lower() == "true":
        own["@odata.count"] = len(found)
    shown = [options.shown(item, chosen, "EntityMetadata") for item in found]
    return answer(own | {"value": shown})


def _single(call: Call, entity: Entity) -> HttpResponse:
    chosen = options.read(call.options, call.aliases)
    document = _bare(call, entity) | _expanded(call, entity, chosen)
    shown = options.shown(document, chosen, "EntityMetadata")
    own = {"@odata.context": context(call, "EntityDefinitions", chosen, "/$entity")}
    return answer(own | localized(call, shown))


def _bare(call: Call, entity: Entity) -> Document:
    return entity_to_json(entity, language=call.organization.language, expand=False)


def _expanded(call: Call, entity: Entity, chosen: Options) -> Document:
    own: Document = {}
    for name, inner in chosen.expand.items():
        if name not in _KINDS:
            raise unknown_segment(name)
        own[name] = _shown(_documents(call, entity, name), inner, _KINDS[name].type)
    return own


def _documents(call: Call, entity: Entity, name: str) -> list[Document]:
    return _KINDS[name].documents(entity, call.organization.language)


def _shown(documents: Iterable[Document], chosen: Options, kind: str) -> list[Document]:
    prepared = (_expand_options(item, chosen) for item in documents)
    return [options.shown(item, chosen, kind) for item in options.passing(prepared, chosen)]


def _expand_options(document: Document, chosen: Options) -> Document:
    """Take option sets out of an attribute, and put in those that were asked for."""
    full = document.get("OptionSet")
    own = {name: value for name, value in document.items() if name not in _OPTION_SETS}
    for name in _OPTION_SETS:
        inner = chosen.expand.get(name)
        if inner is None or "OptionSet" not in document:
            continue
        if full is None or (name == "GlobalOptionSet" and not full["IsGlobal"]):
            own[name] = None
        else:
            own[name] = options.shown(full, inner, "OptionSetMetadata")
    return own


def entity_of(call: Call, segment: Segment) -> Entity:
    """Return the entity that a path names. Raises WebApiError 404."""
    name = segment.pairs.get("LogicalName")
    found = _named(call, name) if name else _by_id(call, segment.key or "")
    if found is None or found.is_hidden:
        raise unknown_definition()
    return found


def _named(call: Call, name: str) -> Entity | None:
    try:
        return call.catalog.entity(name)
    except NotFound:
        return None


def _by_id(call: Call, metadata_id: str) -> Entity | None:
    return next(
        (e for e in call.catalog.entities() if _bare(call, e)["MetadataId"] == metadata_id), None
    )


def _beneath(call: Call, entity: Entity, rest: Sequence[Segment]) -> HttpResponse:
    first, *more = rest
    if first.name not in _KINDS:
        return _property(call, entity, first, more)
    kind = _KINDS[first.name]
    if more and more[0].name.startswith(CAST):
        cast = more.pop(0).name.removeprefix(CAST)
        entity = _of_cast(entity, cast, first.name)
        kind = _Kind(cast, kind.documents, kind.name)
    if more and more[0].name != "OptionSet" and more[0].name != "GlobalOptionSet":
        raise unknown_segment(more[0].name)
    documents = kind.documents(entity, call.organization.language)
    place = f"EntityDefinitions('{entity.name}')/{first.name}"
    if not first.called:
        return _listed(call, documents, kind, place)
    return _element(call, documents, kind, first, more, place)


def _of_cast(entity: Entity, cast: str, navigation: str) -> Entity:
    """Return the entity with only those elements of a list that are of the cast's type."""
    if navigation != "Attributes":
        if cast not in ("OneToManyRelationshipMetadata", "ManyToManyRelationshipMetadata"):
            raise unknown_segment(CAST + cast)
        fits = cast == _KINDS[navigation].type
        return entity if fits else replace(entity, relationships=(), keys=())
    if cast not in _CASTS:
        raise unknown_segment(CAST + cast)
    kept = (item for item in entity.attributes if _is_of_cast(item.type, cast))
    return replace(entity, attributes=tuple(kept))


def _is_of_cast(kind: AttributeType, cast: str) -> bool:
    if cast == _UNIQUE:
        return kind is AttributeType.UNIQUEIDENTIFIER
    return cast in ("AttributeMetadata", cast_of(kind))


_CASTS = frozenset(map(cast_of, AttributeType)) | {_UNIQUE}


def _listed(call: Call, documents: list[Document], kind: _Kind, place: str) -> HttpResponse:
    chosen = options.read(call.options, call.aliases)
    found = _shown(documents, chosen, kind.type)
    own: Document = {"@odata.context": context(call, place, chosen)}
    return answer(own | {"value": localized(call, found)})


def _element(
    call: Call,
    documents: list[Document],
    kind: _Kind,
    segment: Segment,
    more: Sequence[Segment],
    place: str,
) -> HttpResponse:
    chosen = options.read(call.options, call.aliases)
    key = segment.pairs.get(kind.name) or segment.pairs.get("SchemaName")
    names = ("MetadataId",) if segment.key else (kind.name, "SchemaName")
    wanted = segment.key or key
    found = next((d for d in documents if any(d.get(name) == wanted for name in names)), None)
    if found is None:
        raise unknown_definition()
    if more:
        return _option_set(call, found, more[0].name, chosen, place)
    shown = _shown([found], chosen, kind.type)
    if not shown:
        raise unknown_definition()
    own = {"@odata.context": context(call, place, chosen, "/$entity")}
    return answer(own | localized(call, shown[0]))


def _option_set(
    call: Call, document: Document, name: str, chosen: Options, place: str
) -> HttpResponse:
    full = document.get("OptionSet")
    if full is None or (name == "GlobalOptionSet" and not full["IsGlobal"]):
        raise unknown_definition()
    own = {"@odata.context": context(call, f"{place}/{name}", chosen, "/$entity")}
    return answer(own | localized(call, options.shown(full, chosen, "OptionSetMetadata")))


def _property(
    call: Call, entity: Entity, segment: Segment, more: Sequence[Segment]
) -> HttpResponse:
    document = _bare(call, entity)
    if segment.name not in document or more:
        raise unknown_segment(more[0].name if more else segment.name)
    place = f"EntityDefinitions('{entity.name}')/{segment.name}"
    value = document[segment.name]
    own = {"@odata.context": f"{call.api}$metadata#{place}"}
    return answer(own | (value if isinstance(value, dict) else {"value": value}))


def context(call: Call, place: str, chosen: Options, suffix: str = "") -> str:
    """Return the @odata.context of metadata."""
    names = [*(chosen.select or ()), *(f"{name}()" for name in chosen.expand)]
    shown = f"({','.join(names)})" if names else ""
    return f"{call.api}$metadata#{place}{shown}{suffix}"


def localized(call: Call, document: Any) -> Any:
    """Return a document whose labels are limited to `?LabelLanguages=…`, if that is given."""
    text = call.options.get("LabelLanguages")
    if not text:
        return document
    lcids = frozenset(int(part) for part in text.split(",") if part.strip().isdecimal())
    return options.in_languages(document, lcids)
