"""Metadata writes: which method on which path does what (dataverse.md 2.6).

Each write happens under the organization's exclusive schema lock, in one transaction, and is seen
at once: `Consistency: Strong` asks for nothing more here. Definitions are replaced by PUT.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.http import HttpResponse

from organizations.catalog import (
    define_option_set,
    drop_option_set,
    exclusive_schema_lock,
)
from organizations.dynamics import metadata
from organizations.dynamics import schema_writing_attributes as attributes
from organizations.dynamics import schema_writing_entities as entities
from organizations.dynamics import schema_writing_keys as keys
from organizations.dynamics import schema_writing_options as option_sets
from organizations.dynamics import schema_writing_relationships as relationships
from organizations.dynamics.call import Call, answer, nothing
from organizations.dynamics.codec import (
    attribute_to_json,
    entity_to_json,
    key_to_json,
    option_set_to_json,
    relationship_to_json,
)
from organizations.dynamics.codec.properties import Json
from organizations.dynamics.errors import bad_request, unknown_definition
from organizations.dynamics.resource import Segment
from organizations.dynamics.schema_writing_bodies import (
    clean,
    keeps_labels,
    merged,
    schema_name,
)
from organizations.dynamics.schema_writing_draft import Draft
from organizations.dynamics.schema_writing_faults import (
    DUPLICATE_NAME,
    in_use,
    invalid,
    unsupported_method,
)
from organizations.schema import Attribute, Entity, Key, Relationship

_KINDS = {
    "EntityDefinitions": "EntityMetadata",
    "RelationshipDefinitions": "RelationshipMetadataBase",
    "GlobalOptionSetDefinitions": "OptionSetMetadataBase",
}
Handler = Callable[[Call, Sequence[Segment]], HttpResponse]


def write(call: Call, name: str, segments: Sequence[Segment]) -> HttpResponse:
    """Carry out a write to one of the sets of definitions. Raises WebApiError."""
    path = [item for item in segments if not item.name.startswith(metadata.CAST)]
    found = _HANDLERS.get((call.method, name, *(item.name for item in path[1:])))
    if found is None:
        raise unsupported_method(_KINDS[name])
    must_be_named = call.method != "POST"
    if path[-1].called != must_be_named:
        raise unsupported_method(_KINDS[name])
    with exclusive_schema_lock(call.organization):
        call.catalog.refresh()
        return found(call, path)


def _created(call: Call, path: str, document: Json) -> HttpResponse:
    """Answer with the new element's address, and with itself if the caller prefers that."""
    address = f"{call.api}{path}({document['MetadataId']})"
    if call.preferences.representation:
        own = {"@odata.context": f"{call.api}$metadata#{path}/$entity"}
        response = answer(own | document, 201)
    else:
        response = nothing()
    response["OData-EntityId"] = address
    response["Location"] = address
    return response


def _create_entity(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    made = entities.create(draft, call.body())
    draft.save()
    language = call.organization.language
    return _created(
        call, "EntityDefinitions", entity_to_json(made, language=language, expand=False)
    )


def _update_entity(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    entities.update(draft, metadata.entity_of(call, segments[0]), call.body())
    draft.save()
    return nothing()


def _delete_entity(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    entities.delete(draft, metadata.entity_of(call, segments[0]))
    draft.save()
    return nothing()


def _create_attribute(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    entity = metadata.entity_of(call, segments[0])
    made = attributes.create(draft, entity, call.body())
    draft.save()
    document = attribute_to_json(made, entity.name, language=call.organization.language)
    return _created(call, f"{_place(segments[0])}/Attributes", document)


def _place(segment: Segment) -> str:
    """Return an entity's address as the caller wrote it: by id or by name."""
    key = segment.key or f"LogicalName='{segment.pairs.get('LogicalName')}'"
    return f"EntityDefinitions({key})"


def _update_attribute(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    entity = metadata.entity_of(call, segments[0])
    attributes.update(draft, entity, _attribute(entity, segments[1]), call.body())
    draft.save()
    return nothing()


def _delete_attribute(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    entity = metadata.entity_of(call, segments[0])
    attributes.delete(draft, entity, _attribute(entity, segments[1]))
    draft.save()
    return nothing()


def _attribute(entity: Entity, segment: Segment) -> Attribute:
    for item in entity.attributes:
        if not item.is_hidden and _is_named(
            segment, item.name, partial(attribute_to_json, item, entity.name)
        ):
            return item
    raise unknown_definition()


def _is_named(segment: Segment, name: str, document: Callable[[], Json]) -> bool:
    """Return whether a path names an element, by its name or by its id."""
    if segment.key is not None:
        return bool(document()["MetadataId"] == segment.key)
    return name in (segment.pairs.get("LogicalName"), segment.pairs.get("SchemaName"))


def _create_key(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    entity = metadata.entity_of(call, segments[0])
    made = keys.create(draft, entity, call.body())
    draft.save()
    document = key_to_json(made, entity.name, language=call.organization.language)
    return _created(call, f"{_place(segments[0])}/Keys", document)


def _delete_key(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    entity = metadata.entity_of(call, segments[0])
    keys.delete(draft, entity, _key(entity, segments[1]))
    draft.save()
    return nothing()


def _key(entity: Entity, segment: Segment) -> Key:
    for item in entity.keys:
        document = key_to_json(item, entity.name)
        if document["SchemaName"] == segment.pairs.get("SchemaName"):
            return item
        if _is_named(segment, item.name, partial(key_to_json, item, entity.name)):
            return item
    raise unknown_definition()


def _create_relationship(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    made = relationships.create(draft, call.body())
    draft.save()
    return _created(call, "RelationshipDefinitions", relationship_to_json(made, typed=True))


def _update_relationship(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    relationships.update(draft, _relationship(call, segments[0]), call.body())
    draft.save()
    return nothing()


def _delete_relationship(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    draft = Draft(call)
    relationships.delete(draft, _relationship(call, segments[0]))
    draft.save()
    return nothing()


def _relationship(call: Call, segment: Segment) -> Relationship:
    for entity in call.catalog.entities():
        if entity.is_hidden:
            continue
        for item in entity.relationships:
            if _is_named(segment, item.name, partial(relationship_to_json, item)):
                return item
    raise unknown_definition()


def _create_options(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    body = call.body()
    name = schema_name(body, "option set", "Name")
    if any(options.name.lower() == name.lower() for options, _ in option_sets.global_sets(call)):
        raise bad_request(
            f"The schema name {name} for type OptionSet is not unique. An {name} with same name "
            "already exists.",
            DUPLICATE_NAME,
        )
    raw = clean(call, body)
    kind = "Boolean" if "TrueOption" in raw else str(raw.get("OptionSetType") or "Picklist")
    made = option_sets.from_body(raw, name, is_global=True)
    made = option_sets.typed(made, kind)
    define_option_set(call.organization, made)
    call.catalog.refresh()
    document = option_set_to_json(made, kind, language=call.organization.language)
    return _created(call, "GlobalOptionSetDefinitions", document)


def _update_options(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    before = option_sets.find(call, segments[0])
    body = {
        k: v for k, v in clean(call, call.body()).items() if k in ("DisplayName", "Description")
    }
    document = option_set_to_json(before)
    changed = merged(document, body, keep_labels=keeps_labels(call))
    option_sets.put_global(call, option_sets.relabelled_set(before, changed))
    return nothing()


def _delete_options(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    options = option_sets.find(call, segments[0])
    used = sum(1 for _ in option_sets.users(call, options.name))
    if used:
        raise in_use("OptionSet", options.name, used)
    drop_option_set(call.organization, options)
    call.catalog.refresh()
    return nothing()


_HANDLERS: Mapping[tuple[str, ...], Handler] = {
    ("POST", "EntityDefinitions"): _create_entity,
    ("PUT", "EntityDefinitions"): _update_entity,
    ("DELETE", "EntityDefinitions"): _delete_entity,
    ("POST", "EntityDefinitions", "Attributes"): _create_attribute,
    ("PUT", "EntityDefinitions", "Attributes"): _update_attribute,
    ("DELETE", "EntityDefinitions", "Attributes"): _delete_attribute,
    ("POST", "EntityDefinitions", "Keys"): _create_key,
    ("DELETE", "EntityDefinitions", "Keys"): _delete_key,
    ("POST", "RelationshipDefinitions"): _create_relationship,
    ("PUT", "RelationshipDefinitions"): _update_relationship,
    ("DELETE", "RelationshipDefinitions"): _delete_relationship,
    ("POST", "GlobalOptionSetDefinitions"): _create_options,
    ("PUT", "GlobalOptionSetDefinitions"): _update_options,
    ("DELETE", "GlobalOptionSetDefinitions"): _delete_options,
}


def create_entities(call: Call, body: Mapping[str, Any]) -> list[str]:
    """Make several entities at once or none, and return their ids. Raises WebApiError."""
    given = body.get("Entities")
    if not isinstance(given, list) or not given:
        raise invalid("CreateEntities needs 'Entities', a list of entities.")
    draft = Draft(call)
    made = [entities.create(draft, item) for item in given]
    draft.save()
    return [str(entity_to_json(item, expand=False)["MetadataId"]) for item in made]
