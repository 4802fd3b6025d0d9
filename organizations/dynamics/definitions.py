"""GlobalOptionSetDefinitions and RelationshipDefinitions: metadata that belong to no one entity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.http import HttpResponse

from organizations.dynamics import metadata_options as options
from organizations.dynamics.call import Call, answer
from organizations.dynamics.codec import option_set_to_json, relationship_to_json
from organizations.dynamics.errors import unknown_definition, unknown_segment
from organizations.dynamics.metadata import CAST, context, localized
from organizations.dynamics.metadata_options import Document
from organizations.dynamics.resource import Segment
from organizations.dynamics.schema_writing_options import global_sets
from organizations.schema import Entity

_OPTIONS = ("Options", "TrueOption", "FalseOption")
_SETS = {
    "OptionSetMetadata": frozenset({"Picklist", "State", "Status"}),
    "BooleanOptionSetMetadata": frozenset({"Boolean"}),
}
_RELATIONSHIPS = {
    "OneToManyRelationshipMetadata": frozenset({"OneToManyRelationship"}),
    "ManyToManyRelationshipMetadata": frozenset({"ManyToManyRelationship"}),
}


def global_option_sets(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    """Answer GlobalOptionSetDefinitions: the options are seen on single ones and after a cast."""
    documents = _global_sets(call)
    kinds = _cast(segments, _SETS)
    if kinds is not None:
        documents = [item for item in documents if item["OptionSetType"] in kinds]
    elif not segments[0].called:
        documents = [
            {name: value for name, value in item.items() if name not in _OPTIONS}
            for item in documents
        ]
    return _serve(call, segments[0], documents, "GlobalOptionSetDefinitions", "Name")


def relationships(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    """Answer RelationshipDefinitions: 1:N and N:N together, each with its @odata.type."""
    found = {
        item.name: relationship_to_json(item, typed=True)
        for entity in _visible(call)
        for item in entity.relationships
    }
    documents = list(found.values())
    kinds = _cast(segments, _RELATIONSHIPS)
    if kinds is not None:
        documents = [item for item in documents if item["RelationshipType"] in kinds]
    return _serve(call, segments[0], documents, "RelationshipDefinitions", "SchemaName")


def _cast(
    segments: Sequence[Segment], known: Mapping[str, frozenset[str]]
) -> frozenset[str] | None:
    if len(segments) == 1:
        return None
    cast = segments[1].name.removeprefix(CAST)
    if len(segments) > 2 or cast not in known:
        raise unknown_segment(segments[-1].name)
    return known[cast]


def _global_sets(call: Call) -> list[Document]:
    language = call.organization.language
    found = global_sets(call)
    return [option_set_to_json(options, kind, language=language) for options, kind in found]


def _visible(call: Call) -> Iterator[Entity]:
    return (entity for entity in call.catalog.entities() if not entity.is_hidden)


def _serve(
    call: Call, segment: Segment, documents: list[Document], place: str, key: str
) -> HttpResponse:
    chosen = options.read(call.options, call.aliases)
    kind = place.replace("Definitions", "Metadata")
    if segment.called:
        name = "MetadataId" if segment.key else key
        wanted = segment.key or segment.pairs.get(key)
        documents = [item for item in documents if item[name] == wanted]
        if not documents:
            raise unknown_definition()
        own = {"@odata.context": context(call, place, chosen, "/$entity")}
        return answer(own | localized(call, options.shown(documents[0], chosen, kind)))
    found = [options.shown(i, chosen, kind) for i in options.passing(documents, chosen)]
    return answer({"@odata.context": context(call, place, chosen), "value": localized(call, found)})
