"""Option sets in bodies: local ones, and references to global ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from organizations import definitions
from organizations.catalog import define_option_set
from organizations.dynamics.call import Call
from organizations.dynamics.codec import option_set_from_json, option_set_to_json
from organizations.dynamics.codec.options import SET_TYPES
from organizations.dynamics.codec.properties import Json
from organizations.dynamics.errors import unknown_definition
from organizations.dynamics.resource import Segment, parse
from organizations.dynamics.schema_writing_bodies import born, clean
from organizations.dynamics.schema_writing_draft import Draft
from organizations.dynamics.schema_writing_faults import invalid
from organizations.models import OptionSetDefinition
from organizations.schema import Attribute, AttributeType, Entity, Label, Option, OptionSet

FIRST_VALUE = 100_000_000
"""Where values of options begin that a body does not number (the default publisher's)."""

BIND = "GlobalOptionSet@odata.bind"
_SET = "GlobalOptionSetDefinitions"
LABELS = ("DisplayName", "Description")
_TIMES = frozenset({"CreatedOn", "ModifiedOn"})


def numbered(options: list[Json], taken: frozenset[int] = frozenset()) -> list[Json]:
    """Return options that all have a value. Raises WebApiError 400 for one used twice."""
    known = set(taken)
    found = []
    for option in options:
        value = option.get("Value")
        if value is None:
            value = max({FIRST_VALUE - 1, *(v for v in known if v >= FIRST_VALUE)}) + 1
        if value in known:
            raise invalid(f"The option value {value} is used twice.")
        known.add(value)
        found.append(option | {"Value": value})
    return found


def from_body(raw: Mapping[str, Any], name: str, *, is_global: bool) -> OptionSet:
    """Return a new option set of a clean body. Raises WebApiError or InvalidRequest."""
    options = raw.get("Options") or []
    ids = {key: value for key, value in born().items() if key not in _TIMES}
    document = {**raw, **ids, "Name": name, "IsGlobal": is_global, "IsCustomOptionSet": True}
    for two in ("TrueOption", "FalseOption"):
        if raw.get(two):
            document[two] = {"Value": int(two == "TrueOption"), **raw[two]}
    return option_set_from_json(document | {"Options": numbered(options)})


def of_attribute(call: Call, body: Mapping[str, Any], kind: AttributeType, name: str) -> OptionSet:
    """Return the option set that a new attribute asks for; `name` is that of a local one."""
    bound = body.get(BIND)
    if bound is not None:
        return find_bound(call, str(bound))
    raw = body.get("OptionSet") or body.get("GlobalOptionSet") or {}
    if raw.get("IsGlobal"):
        return find(call, Segment(_SET, None, {"Name": str(raw.get("Name"))}, called=True))
    if kind is AttributeType.BOOLEAN:
        return from_body(_two_options(call, raw), name, is_global=False)
    return from_body(clean(call, raw), str(raw.get("Name") or name), is_global=False)


def _two_options(call: Call, raw: Mapping[str, Any]) -> Json:
    cleaned = clean(call, raw)
    language = call.organization.language
    for name, text in (("TrueOption", "Yes"), ("FalseOption", "No")):
        label = {"LocalizedLabels": [{"Label": text, "LanguageCode": language}]}
        cleaned[name] = cleaned.get(name) or clean(call, {"Label": label})
    return cleaned


def find_bound(call: Call, address: str) -> OptionSet:
    """Return the global option set at an address. Raises WebApiError."""
    path = address.removeprefix(call.api).lstrip("/")
    segments = parse(path)
    if len(segments) != 1 or segments[0].name != _SET:
        raise invalid(f"'{address}' is not the address of a global option set.")
    return find(call, segments[0])


def find(call: Call, segment: Segment) -> OptionSet:
    """Return a global option set by id or name. Raises WebApiError 404."""
    name = segment.pairs.get("Name")
    for options, kind in global_sets(call):
        if segment.key is None and options.name == name:
            return options
        if segment.key and option_set_to_json(options, kind)["MetadataId"] == segment.key:
            return options
    raise unknown_definition()


def global_sets(call: Call) -> Iterator[tuple[OptionSet, str]]:
    """Yield all global option sets with their type, by name; attributes' copies come first."""
    found: dict[str, tuple[OptionSet, str]] = {}
    for entity in call.catalog.entities():
        found |= _of_entity(entity)
    for row in OptionSetDefinition.objects.filter(organization=call.organization):
        options = definitions.load_option_set(row.document)
        found.setdefault(options.name, (options, type_of(options)))
    yield from (found[name] for name in sorted(found))


def _of_entity(entity: Entity) -> dict[str, tuple[OptionSet, str]]:
    if entity.is_hidden:
        return {}
    return {
        item.option_set.name: (item.option_set, SET_TYPES.get(item.type, "Picklist"))
        for item in entity.attributes
        if item.option_set is not None and item.option_set.is_global and not item.is_hidden
    }


def type_of(options: OptionSet) -> str:
    """Return the type of a set that is no attribute's."""
    return str(options.extras.get("OptionSetType") or "Picklist")


def with_option(options: OptionSet, raw: Mapping[str, Any]) -> tuple[OptionSet, int]:
    """Return a set with one more option, and its value. Raises WebApiError 400."""
    taken = frozenset(item.value for item in options.options)
    (option,) = numbered([dict(raw)], taken)
    made = option_set_from_json({"Name": options.name, "Options": [option]}).options
    return replace(options, options=options.options + made), int(option["Value"])


def without_option(options: OptionSet, value: int) -> OptionSet:
    """Return a set without an option. Raises WebApiError 400 for an unknown one."""
    option(options, value)
    return replace(options, options=tuple(i for i in options.options if i.value != value))


def option(options: OptionSet, value: object) -> Option:
    """Return an option by value. Raises WebApiError 400."""
    found = next((item for item in options.options if item.value == value), None)
    if found is None:
        raise invalid(f"Option set '{options.name}' has no option with the value {value}.")
    return found


def relabelled(before: Label, texts: Label, *, keep: bool) -> Label:
    """Return a label with new texts; `keep` leaves those of other languages."""
    return Label.of((dict(before.texts) if keep else {}) | dict(texts.texts))


def typed(options: OptionSet, kind: str) -> OptionSet:
    """Return a set that says its type by itself, because no attribute does."""
    return replace(options, extras={**options.extras, "OptionSetType": kind})


def relabelled_set(before: OptionSet, document: Mapping[str, Any]) -> OptionSet:
    """Return a set with the names of a document."""
    named = option_set_from_json({**document, "Options": []})
    shadows = {key: named.extras[key] for key in LABELS if key in named.extras}
    return replace(
        before,
        label=named.label,
        description=named.description,
        extras={**before.extras, **shadows},
    )


def change(call: Call, body: Mapping[str, Any], changing: Callable[[OptionSet], OptionSet]) -> None:
    """Change the options that an action means: a global set's, or a local one's of an attribute.

    Raises WebApiError 400.
    """
    name = body.get("OptionSetName")
    if name:
        segment = Segment(_SET, None, {"Name": str(name)}, called=True)
        put_global(call, changing(find(call, segment)))
        return
    entity, attribute = _attribute(call, body)
    options = attribute.option_set
    if options is None:
        raise invalid(f"Attribute '{attribute.name}' has no options.")
    if options.is_global:
        put_global(call, changing(options))
        return
    draft = Draft(call)
    draft.put_attribute(entity.name, replace(attribute, option_set=changing(options)))
    draft.save()


def _attribute(call: Call, body: Mapping[str, Any]) -> tuple[Entity, Attribute]:
    names = [body.get(key) for key in ("EntityLogicalName", "AttributeLogicalName")]
    if not all(names):
        raise invalid("Give OptionSetName, or EntityLogicalName and AttributeLogicalName.")
    entity = Draft(call).entity(str(names[0]))
    found = entity.attribute(str(names[1]))
    if found is None or found.is_hidden:
        raise invalid(f"Entity '{entity.name}' has no attribute '{names[1]}'.")
    return entity, found


def users(call: Call, name: str) -> Iterator[tuple[Entity, Attribute]]:
    """Yield all attributes that use a global option set."""
    for entity in call.catalog.entities():
        for attribute in entity.attributes:
            options = attribute.option_set
            if options is not None and options.is_global and options.name == name:
                yield entity, attribute


def put_global(call: Call, options: OptionSet) -> None:
    """Save a global option set wherever it stands."""
    draft = Draft(call)
    for entity, attribute in users(call, options.name):
        draft.put_attribute(entity.name, replace(attribute, option_set=options))
    draft.save()
    rows = OptionSetDefinition.objects.filter(organization=call.organization)
    if rows.filter(name=options.name).exists():
        define_option_set(call.organization, options)
        call.catalog.refresh()
