"""Option sets and options, with state, status, transitions and the two-option form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from organizations.dynamics.codec.labels import label_from_json, label_shadow, label_to_json
from organizations.dynamics.codec.properties import (
    INTRODUCED,
    Json,
    documents,
    extras,
    managed,
    metadata_id,
)
from organizations.errors import InvalidRequest
from organizations.query import markup
from organizations.schema import ENGLISH, AttributeType, Label, Option, OptionSet

_TRANSITIONS = "http://schemas.microsoft.com/crm/2009/WebServices"
_LABELS = {"Label": "label", "Description": "description"}
_SET_LABELS = {"DisplayName": "label", "Description": "description"}
_OWNED = frozenset({"Value", "Color", "State", "DefaultStatus", "TransitionData", *_LABELS})
_SET_OWNED = frozenset(
    {"Name", "IsGlobal", "OptionSetType", "Options", "TrueOption", "FalseOption", *_SET_LABELS}
)
_PARENT: Json = {"ParentOptionSetName": None}
SET_TYPES = {
    AttributeType.BOOLEAN: "Boolean",
    AttributeType.STATE: "State",
    AttributeType.STATUS: "Status",
}


def option_set_from_json(raw: Mapping[str, Any]) -> OptionSet:
    """Return an option set; a two-option one has the options 0 and 1. Raises InvalidRequest."""
    name = str(raw.get("Name") or "")
    options = documents(raw, "Options", f"option set '{name}'")
    options += [raw[key] for key in ("FalseOption", "TrueOption") if raw.get(key)]
    return OptionSet(
        name=name,
        is_global=bool(raw.get("IsGlobal")),
        options=tuple(_option_from_json(item, name) for item in options),
        label=label_from_json(raw.get("DisplayName")),
        description=label_from_json(raw.get("Description")),
        extras=extras(raw, _set_defaults(name) | _PARENT, _SET_OWNED) | _shadows(raw, _SET_LABELS),
    )


def _shadows(raw: Mapping[str, Any], names: Mapping[str, str]) -> Json:
    found = {name: label_shadow(raw.get(name)) for name in names}
    return {name: shadow for name, shadow in found.items() if shadow}


def _option_from_json(raw: Mapping[str, Any], name: str) -> Option:
    value = raw.get("Value")
    if not isinstance(value, int):
        raise InvalidRequest(f"An option of '{name}' has no whole number as 'Value'.", "Options")
    kept = extras(raw, _option_defaults(), _OWNED) | _shadows(raw, _LABELS)
    if raw.get("TransitionData") is not None:
        kept["TransitionData"] = raw["TransitionData"]
    return Option(
        value=value,
        label=label_from_json(raw.get("Label")),
        description=label_from_json(raw.get("Description")),
        state=raw.get("State"),
        default_status=raw.get("DefaultStatus"),
        next_statuses=_next_statuses(raw.get("TransitionData"), name),
        color=raw.get("Color"),
        extras=kept,
    )


def _next_statuses(data: object, name: str) -> tuple[int, ...] | None:
    if not isinstance(data, str) or not data:
        return None
    try:
        root = markup.parse(data, "TransitionData")
        found = root.iter(f"{{{_TRANSITIONS}}}allowedtransition")
        return tuple(int(item.get("tostatusid", "")) for item in found)
    except (InvalidRequest, ValueError) as error:
        raise InvalidRequest(
            f"The TransitionData of an option of '{name}' cannot be read: {error}",
            "TransitionData",
        ) from error


def option_set_to_json(
    options: OptionSet, kind: str = "Picklist", *, language: int = ENGLISH
) -> Json:
    """Return an option set as Dataverse shows it.

    `kind` is Picklist, State, Status or Boolean; a Boolean has TrueOption and FalseOption.
    """
    path = ("optionset", options.name)
    own = _set_defaults(options.name) | dict(options.extras)
    own |= {"Name": options.name, "IsGlobal": options.is_global, "OptionSetType": kind}
    own |= {
        name: _label(options, name, field, path, language) for name, field in _SET_LABELS.items()
    }
    served = [_option_to_json(item, kind, path, language) for item in options.options]
    if kind == "Boolean":
        by_value = {item["Value"]: item for item in served}
        return own | {"FalseOption": by_value.get(0), "TrueOption": by_value.get(1)}
    return _PARENT | own | {"Options": served}


def _label(
    owner: Option | OptionSet, name: str, field: str, path: tuple[str, ...], language: int
) -> Json:
    label: Label = getattr(owner, field)
    return label_to_json(label, owner.extras.get(name), language=language, path=(*path, name))


def _option_to_json(option: Option, kind: str, path: tuple[str, ...], language: int) -> Json:
    own = _option_defaults() | dict(option.extras)
    own |= {"Value": option.value, "Color": option.color}
    own |= {
        name: _label(option, name, field, (*path, str(option.value)), language)
        for name, field in _LABELS.items()
    }
    if kind == "State":
        invariant = {"InvariantName": option.label.text()}
        return invariant | own | {"DefaultStatus": option.default_status}
    if kind == "Status":
        return own | {"State": option.state, "TransitionData": _transition_data(option)}
    return own


def _transition_data(option: Option) -> str | None:
    kept: str | None = option.extras.get("TransitionData")
    if _next_statuses(kept, "") == option.next_statuses:
        return kept
    namespaces: Any = {None: _TRANSITIONS}
    root = etree.Element(f"{{{_TRANSITIONS}}}allowedtransitions", nsmap=namespaces)
    for status in option.next_statuses or ():
        item = etree.SubElement(root, f"{{{_TRANSITIONS}}}allowedtransition")
        item.set("sourcestatusid", str(option.value))
        item.set("tostatusid", str(status))
    return etree.tostring(root, encoding="unicode")


def _option_defaults() -> Json:
    return {
        "ExternalValue": None,
        "IsHidden": False,
        "IsManaged": False,
        "Tag": None,
        "ParentValues": None,
        "MetadataId": None,
        "HasChanged": None,
    }


def _set_defaults(name: str) -> Json:
    return {
        "MetadataId": metadata_id("optionset", name),
        "HasChanged": None,
        "IsCustomOptionSet": False,
        "IsManaged": False,
        "IsCustomizable": managed("iscustomizable", True),
        "ExternalTypeName": None,
        "IntroducedVersion": INTRODUCED,
    }
