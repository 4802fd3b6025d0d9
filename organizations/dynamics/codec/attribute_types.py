"""Attribute types in Dataverse's three spellings, and the properties only some types have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from organizations.dynamics.codec.properties import Json, managed, plain
from organizations.schema import Attribute, AttributeType

PREFIX = "#Microsoft.Dynamics.CRM."
T = AttributeType

_BY_TYPE_NAME = {
    f"{kind}Type": kind
    for kind in AttributeType
    if kind not in (T.MULTISELECT, T.BIGINT, T.CALENDAR_RULES)
} | {
    "MultiSelectPicklistType": T.MULTISELECT,
    "BigIntType": T.BIGINT,
    "CalendarRulesType": T.CALENDAR_RULES,
}
_SHOWN_AS_VIRTUAL = frozenset({T.MULTISELECT, T.IMAGE, T.FILE})
_WITHOUT_TYPE = frozenset({T.UNIQUEIDENTIFIER, T.VIRTUAL, T.CALENDAR_RULES})
_LOOKUPS = frozenset({T.LOOKUP, T.CUSTOMER, T.OWNER, T.PARTYLIST})

NUMBERS = frozenset({T.INTEGER, T.DECIMAL, T.DOUBLE, T.MONEY})
_SOURCED = frozenset({T.STRING, T.BOOLEAN, T.DATETIME, T.PICKLIST, T.ENTITYNAME, T.IMAGE, *NUMBERS})


def type_from_json(raw: Mapping[str, Any]) -> AttributeType:
    """Return the type of an attribute document.

    AttributeTypeName decides, else the cast, else AttributeType: the first two tell apart what
    the last calls Virtual. A type that Dataverse may add later is Virtual too: not stored.
    """
    named = _BY_TYPE_NAME.get(str(plain(raw.get("AttributeTypeName"))))
    if named is not None:
        return named
    cast = str(raw.get("@odata.type", "")).removeprefix(PREFIX).removeprefix("Complex")
    shown = str(raw.get("AttributeType") or cast.removesuffix("AttributeMetadata"))
    by_cast = _BY_TYPE_NAME.get(cast.removesuffix("AttributeMetadata") + "Type")
    if by_cast in _SHOWN_AS_VIRTUAL:
        return by_cast
    return _BY_TYPE_NAME.get(f"{shown}Type", T.VIRTUAL)


def cast_of(kind: AttributeType) -> str:
    """Return the name of the derived metadata type, as in `/Attributes/Microsoft…{cast}`."""
    if kind in _WITHOUT_TYPE:
        return "AttributeMetadata"
    return "LookupAttributeMetadata" if kind in _LOOKUPS else f"{kind}AttributeMetadata"


def type_to_json(kind: AttributeType) -> Json:
    """Return the properties that say what type an attribute is."""
    cast = {} if kind in _WITHOUT_TYPE else {"@odata.type": PREFIX + cast_of(kind)}
    return cast | {
        "AttributeType": "Virtual" if kind in _SHOWN_AS_VIRTUAL else str(kind),
        "AttributeTypeName": {"Value": f"{kind}Type"},
    }


def own_defaults(attribute: Attribute) -> Json:
    """Return the further properties of the attribute's type, for one that never was JSON."""
    maker = _DEFAULTS.get(attribute.type)
    sourced = {"FormulaDefinition": None, "SourceTypeMask": 0}
    carries = attribute.type in _SOURCED - {T.ENTITYNAME, T.IMAGE}
    return (maker(attribute) if maker else {}) | (sourced if carries else {})


def has_source(kind: AttributeType) -> bool:
    """Return whether SourceType of a simple attribute is 0; of the other types it is null."""
    return kind in _SOURCED


def _string(attribute: Attribute) -> Json:
    length = attribute.max_length or 0
    return {
        "ImeMode": "Auto",
        "YomiOf": None,
        "DatabaseLength": 2 * length,
        "IsLocalizable": False,
    }


def _memo(_: Attribute) -> Json:
    return {"ImeMode": "Auto", "IsLocalizable": False}


def _bigint(_: Attribute) -> Json:
    return {"MinValue": -(2**63), "MaxValue": 2**63 - 1}


def _number(_: Attribute) -> Json:
    return {"ImeMode": "Disabled"}


def _money(attribute: Attribute) -> Json:
    is_base = attribute.name.endswith("_base")
    return {
        "ImeMode": "Disabled",
        "CalculationOf": attribute.name.removesuffix("_base") if is_base else None,
        "IsBaseCurrency": is_base,
        "PrecisionSource": 2,
    }


def _datetime(_: Attribute) -> Json:
    return {
        "ImeMode": "Inactive",
        "CanChangeDateTimeBehavior": managed("canmodifybehavior", False, changeable=False),
    }


def _picklist(_: Attribute) -> Json:
    return {
        "ParentEnumAttributeLogicalName": None,
        "ChildPicklistLogicalNames": [],
        "ParentPicklistLogicalName": None,
    }


def _enum(_: Attribute) -> Json:
    return {"ParentEnumAttributeLogicalName": None}


def _entityname(_: Attribute) -> Json:
    return {"ParentEnumAttributeLogicalName": None, "IsEntityReferenceStored": False}


def _image(_: Attribute) -> Json:
    return {
        "CanStoreFullImage": False,
        "IsPrimaryImage": False,
        "MaxHeight": 144,
        "MaxWidth": 144,
        "MaxSizeInKB": 10240,
    }


def _file(_: Attribute) -> Json:
    return {"MaxSizeInKB": 32768}


_DEFAULTS: dict[AttributeType, Callable[[Attribute], Json]] = {
    T.STRING: _string,
    T.MEMO: _memo,
    T.BIGINT: _bigint,
    T.DECIMAL: _number,
    T.DOUBLE: _number,
    T.MONEY: _money,
    T.DATETIME: _datetime,
    T.PICKLIST: _picklist,
    T.MULTISELECT: _picklist,
    T.STATE: _enum,
    T.STATUS: _enum,
    T.ENTITYNAME: _entityname,
    T.IMAGE: _image,
    T.FILE: _file,
}
