"""Attributes: reading one document into the vocabulary, and writing it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from organizations.dynamics.codec.attribute_defaults import attribute_defaults
from organizations.dynamics.codec.attribute_types import (
    has_source,
    type_from_json,
    type_to_json,
)
from organizations.dynamics.codec.labels import label_from_json, label_shadow, label_to_json
from organizations.dynamics.codec.options import (
    SET_TYPES,
    option_set_from_json,
    option_set_to_json,
)
from organizations.dynamics.codec.properties import Json, extras, plain, text
from organizations.schema import (
    ENGLISH,
    OPTION_TYPES,
    Attribute,
    AttributeType,
    DateBehavior,
    RequiredLevel,
    Source,
)

T = AttributeType
_LABELS = {"DisplayName": "label", "Description": "description"}
_ENUMS = OPTION_TYPES - {T.BOOLEAN} | {T.ENTITYNAME}
_BOUNDED = frozenset({T.INTEGER, T.DECIMAL, T.DOUBLE, T.MONEY})
_SOURCES = {1: Source.CALCULATED, 2: Source.ROLLUP, 3: Source.FORMULA}
_SOURCE_CODES = {source: code for code, source in _SOURCES.items()}
_LOOKUPS = frozenset({T.LOOKUP, T.CUSTOMER, T.OWNER, T.PARTYLIST})
_OWNED = frozenset(
    {
        "LogicalName",
        "MaxLength",
        "Targets",
        "OptionSet",
        "GlobalOptionSet",
        *_LABELS,
    }
)
"""Properties that are wholly the vocabulary's; of the others `extras` keeps what differs."""


def attribute_from_json(raw: Mapping[str, Any], entity: str, primary_id: str) -> Attribute:
    """Return an attribute of `entity`, whose primary id is `primary_id`.

    An attribute that OData does not show counts as neither readable nor writable, and only the
    entity's own primary id is one, although addresses inside a record claim it too.
    Raises InvalidRequest for a document without LogicalName or with broken options.
    """
    name = text(raw, "LogicalName", f"An attribute of entity '{entity}'")
    kind = type_from_json(raw)
    attribute = Attribute(
        name=name,
        type=kind,
        schema_name=raw.get("SchemaName") or "",
        label=label_from_json(raw.get("DisplayName")),
        description=label_from_json(raw.get("Description")),
        is_primary_id=name == primary_id,
        is_primary_name=bool(raw.get("IsPrimaryName")),
        is_custom=bool(raw.get("IsCustomAttribute")),
        attribute_of=raw.get("AttributeOf"),
        required=_required(plain(raw.get("RequiredLevel"))),
        source=_SOURCES.get(raw.get("SourceType") or 0, Source.SIMPLE),
        targets=tuple(raw.get("Targets") or ()),
        max_length=raw.get("MaxLength"),
        date_behavior=_behavior(raw),
        **_numbers(raw, kind),
        **_access(raw),
        **_choices(raw, kind),
        format=plain(raw.get("FormatName")) or raw.get("Format"),
    )
    return _with_extras(attribute, raw, entity)


def _with_extras(attribute: Attribute, raw: Mapping[str, Any], entity: str) -> Attribute:
    kept = extras(raw, _served(attribute, entity), _OWNED)
    for name in _LABELS:
        if shadow := label_shadow(raw.get(name)):
            kept[name] = shadow
    return replace(attribute, extras=kept)


def _required(value: object) -> RequiredLevel:
    known = {str(level): level for level in RequiredLevel}
    return known.get(str(value), RequiredLevel.NONE)


def _behavior(raw: Mapping[str, Any]) -> DateBehavior:
    known = {str(behavior): behavior for behavior in DateBehavior}
    return known.get(str(plain(raw.get("DateTimeBehavior"))), DateBehavior.USER_LOCAL)


def _numbers(raw: Mapping[str, Any], kind: AttributeType) -> dict[str, Any]:
    if kind not in _BOUNDED:
        return {}
    return {
        "minimum": raw.get("MinValue"),
        "maximum": raw.get("MaxValue"),
        "precision": raw.get("Precision"),
    }


def _access(raw: Mapping[str, Any]) -> dict[str, Any]:
    shown = raw.get("IsValidODataAttribute", True)
    return {
        "is_readable": bool(raw.get("IsValidForRead", True) and shown),
        "is_creatable": bool(raw.get("IsValidForCreate", True) and shown),
        "is_updatable": bool(raw.get("IsValidForUpdate", True) and shown),
    }


def _choices(raw: Mapping[str, Any], kind: AttributeType) -> dict[str, Any]:
    options = raw.get("OptionSet") or raw.get("GlobalOptionSet")
    default = raw.get("DefaultValue" if kind is T.BOOLEAN else "DefaultFormValue")
    return {
        "option_set": option_set_from_json(options) if options else None,
        "default": None if default in (None, -1) else int(default),
    }


def attribute_to_json(attribute: Attribute, entity: str, *, language: int = ENGLISH) -> Json:
    """Return the full document of an attribute of `entity`; option sets are expanded."""
    own = _served(attribute, entity) | {
        name: value for name, value in attribute.extras.items() if name not in _LABELS
    }
    own["LogicalName"] = attribute.name
    for name, field in _LABELS.items():
        own[name] = label_to_json(
            getattr(attribute, field),
            attribute.extras.get(name),
            language=language,
            path=("attribute", entity, attribute.name, name),
        )
    if attribute.type in (T.STRING, T.MEMO):
        own["MaxLength"] = attribute.max_length
    if attribute.type in _LOOKUPS:
        own["Targets"] = list(attribute.targets)
    return own | _options(attribute, language)


def _options(attribute: Attribute, language: int) -> Json:
    if attribute.type not in OPTION_TYPES | {T.ENTITYNAME}:
        return {}
    if attribute.option_set is None:
        return {"OptionSet": None}
    kind = SET_TYPES.get(attribute.type, "Picklist")
    return {"OptionSet": option_set_to_json(attribute.option_set, kind, language=language)}


def _served(attribute: Attribute, entity: str) -> Json:
    """Return everything but labels and options as the vocabulary and the defaults say it."""
    return (
        type_to_json(attribute.type)
        | attribute_defaults(attribute, entity)
        | {
            "SchemaName": attribute.schema_name or attribute.name,
            "AttributeOf": attribute.attribute_of,
            "IsPrimaryId": attribute.is_primary_id,
            "IsPrimaryName": attribute.is_primary_name,
            "IsCustomAttribute": attribute.is_custom,
            "IsValidForRead": attribute.is_readable,
            "IsValidForCreate": attribute.is_creatable,
            "IsValidForUpdate": attribute.is_updatable,
            "SourceType": _SOURCE_CODES.get(
                attribute.source, 0 if has_source(attribute.type) else None
            ),
        }
        | _measures(attribute)
    )


def _measures(attribute: Attribute) -> Json:
    kind = attribute.type
    own: Json = {}
    if kind in _BOUNDED:
        own |= {"MinValue": attribute.minimum, "MaxValue": attribute.maximum}
        own |= {} if kind is T.INTEGER else {"Precision": attribute.precision}
    if kind in (T.STRING, T.MEMO):
        name = attribute.format or ("Text" if kind is T.STRING else "TextArea")
        own |= {"Format": "Text" if name == "Phone" else name, "FormatName": {"Value": name}}
    if kind is T.DATETIME:
        own["DateTimeBehavior"] = {"Value": str(attribute.date_behavior)}
        own["Format"] = attribute.format or "DateAndTime"
    if kind is T.INTEGER or kind in _LOOKUPS:
        own["Format"] = attribute.format or "None"
    if kind in _ENUMS:
        own["DefaultFormValue"] = -1 if attribute.default is None else attribute.default
    if kind is T.BOOLEAN:
        own["DefaultValue"] = bool(attribute.default)
    return own
