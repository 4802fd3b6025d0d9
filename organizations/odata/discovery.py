"""What there is: the service document, `$metadata`, `me`, and JSON schemas (resco.md §3.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.http import HttpResponse

from organizations.identity import USER
from organizations.odata import edmx, reading
from organizations.odata.call import Call, answer, text
from organizations.odata.errors import not_served
from organizations.odata.names import Shape, property_name
from organizations.odata.negotiation import XML, check_plain
from organizations.odata.wishes import check_options
from organizations.schema import Attribute, Entity, RequiredLevel

_JSON_TYPES: Mapping[str, Mapping[str, str]] = {
    "Edm.Guid": {"type": "string", "format": "uuid"},
    "Edm.Int32": {"type": "integer", "format": "int32"},
    "Edm.Int64": {"type": "integer", "format": "int64"},
    "Edm.Decimal": {"type": "number"},
    "Edm.Double": {"type": "number", "format": "double"},
    "Edm.Boolean": {"type": "boolean"},
    "Edm.DateTimeOffset": {"type": "string", "format": "date-time"},
    "Edm.String": {"type": "string"},
}
_SETS = "EntitySet"
_OPTIONS = frozenset({"$kind", "$entitySet", "$property", "$format"})


def service_document(call: Call) -> HttpResponse:
    """Answer with the list of sets; `$kind=EntitySet` asks for the same."""
    check_options(call, _OPTIONS, "the service document")
    kind = call.options.get("$kind", _SETS)
    if kind != _SETS:
        raise not_served(f"$kind={kind[:40]}")
    wanted = call.options.get("$entitySet")
    if wanted is not None:
        return answer({"value": list(_properties(call.shape(wanted)))})
    sets = [
        {
            "kind": _SETS,
            "title": shape.entity.label.text(call.organization.language, shape.entity.name),
            "name": shape.entity.name,
            "url": shape.entity.name,
        }
        for shape in _shapes(call)
    ]
    return answer({"@odata.context": f"{call.root}$metadata", "value": sets}, form=call.form)


def metadata(call: Call) -> HttpResponse:
    """Answer with the EDMX of all sets."""
    check_options(call, frozenset({"$format"}), "$metadata")
    check_plain(call.header("Accept"), call.options.get("$format"), XML)
    return text("".join(edmx.document(_shapes(call))), XML)


def me(call: Call) -> HttpResponse:
    """Answer with the caller's system user; without one, with what is known of the member."""
    user = call.context.user
    if user is not None and user.id != str(call.member.pk):
        return reading.record(call, call.shape(USER), user.id)
    return answer(
        {
            "@odata.context": f"{call.root}$metadata#{USER}/$entity",
            "systemuserid": str(call.member.pk),
            "name": f"{call.member.first_name} {call.member.last_name}".strip(),
            "internalemailaddress": call.member.email,
        }
    )


def schema(call: Call, name: str) -> HttpResponse:
    """Answer with the JSON schema of a set's records, of `$select` only if given."""
    shape = call.shape(name)
    if "$expand" in call.options:
        raise not_served("$expand of a schema")
    names = [one.strip() for one in call.options.get("$select", "").split(",") if one.strip()]
    chosen = [shape.property(one) for one in names] or list(shape.properties.values())
    return answer(schema_of(shape, chosen, call.organization.language))


def schema_of(shape: Shape, chosen: Sequence[Attribute], language: int) -> dict[str, Any]:
    """Return the JSON schema of records that have these properties."""
    required = [
        property_name(item)
        for item in chosen
        if item.required in (RequiredLevel.APPLICATION, RequiredLevel.SYSTEM)
    ]
    return {
        "type": "object",
        "title": shape.entity.label.text(language, shape.entity.name),
        "properties": {property_name(item): _told(item, language) for item in chosen},
        "required": required,
    }


def _properties(shape: Shape) -> Iterator[dict[str, Any]]:
    for name, attribute in shape.properties.items():
        yield {"kind": "Property", "name": name, "type": edmx.type_of(attribute)}


def _told(attribute: Attribute, language: int) -> dict[str, Any]:
    told: dict[str, Any] = dict(_JSON_TYPES.get(edmx.type_of(attribute), {"type": "array"}))
    told["title"] = attribute.label.text(language, attribute.name)
    if attribute.max_length and told["type"] == "string":
        told["maxLength"] = attribute.max_length
    if attribute.option_set is not None:
        told["oneOf"] = [
            {"const": option.value, "title": option.label.text(language, str(option.value))}
            for option in attribute.option_set.options
        ]
    return told


def _shapes(call: Call) -> Iterator[Shape]:
    for entity in call.catalog.entities():
        if _is_served(call, entity):
            yield Shape(entity)


def _is_served(call: Call, entity: Entity) -> bool:
    return call.catalog.enabled(entity.name)
