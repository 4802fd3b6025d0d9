"""Actions on metadata: CreateEntities, options of option sets, publishing (dataverse.md 2.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpResponse

from organizations.catalog import exclusive_schema_lock
from organizations.dynamics import schema_writing_options as option_sets
from organizations.dynamics.call import Call, answer, nothing
from organizations.dynamics.codec.labels import label_from_json
from organizations.dynamics.errors import unknown_segment
from organizations.dynamics.resource import Segment
from organizations.dynamics.schema_writing import create_entities
from organizations.dynamics.schema_writing_bodies import clean, keeps_labels
from organizations.dynamics.schema_writing_faults import invalid
from organizations.errors import InvalidRequest
from organizations.query import markup
from organizations.schema import OptionSet

Body = Mapping[str, Any]
_LABELS = {"Label": "label", "Description": "description"}


def act(call: Call, name: str, segments: Sequence[Segment]) -> HttpResponse:
    """Carry out an action. Raises WebApiError."""
    if len(segments) > 1:
        raise unknown_segment(segments[1].name)
    body = {**call.body()}
    if name in ("PublishXml", "PublishAllXml"):
        return _publish(name, body)
    with exclusive_schema_lock(call.organization):
        call.catalog.refresh()
        return _CHANGES[name](call, body)


def _publish(name: str, body: Body) -> HttpResponse:
    """Accept what is published already: here every change is seen at once."""
    text = body.get("ParameterXml")
    if name == "PublishXml":
        if not isinstance(text, str) or not text:
            raise invalid("PublishXml needs 'ParameterXml'.")
        try:
            markup.parse(text, "ParameterXml")
        except InvalidRequest as error:
            raise invalid(f"ParameterXml cannot be read: {error}") from error
    return nothing()


def _create_entities(call: Call, body: Body) -> HttpResponse:
    return _told(call, "CreateEntities", {"EntityIds": create_entities(call, body)})


def _told(call: Call, name: str, values: Body) -> HttpResponse:
    context = f"{call.api}$metadata#Microsoft.Dynamics.CRM.{name}Response"
    return answer({"@odata.context": context, **values})


def _insert(call: Call, body: Body) -> HttpResponse:
    raw = clean(call, body)
    option = {key: raw[key] for key in ("Value", "Label", "Description", "Color") if raw.get(key)}
    if "StateCode" in raw:
        option["State"] = raw["StateCode"]
    if not label_from_json(option.get("Label")):
        raise invalid("A new option needs a Label.")
    value = 0

    def add(options: OptionSet) -> OptionSet:
        nonlocal value
        found, value = option_sets.with_option(options, option)
        return found

    option_sets.change(call, body, add)
    return _told(call, "InsertOptionValue", {"NewOptionValue": value})


def _update(call: Call, body: Body) -> HttpResponse:
    raw = clean(call, body)
    keep = bool(body.get("MergeLabels")) or keeps_labels(call)

    def rename(options: OptionSet) -> OptionSet:
        found = option_sets.option(options, body.get("Value"))
        changed: dict[str, Any] = {
            field: option_sets.relabelled(
                getattr(found, field), label_from_json(raw[name]), keep=keep
            )
            for name, field in _LABELS.items()
            if raw.get(name)
        }
        color: dict[str, Any] = {"color": raw["Color"]} if raw.get("Color") else {}
        new = replace(found, **changed, **color)
        return replace(options, options=tuple(new if i is found else i for i in options.options))

    option_sets.change(call, body, rename)
    return nothing()


def _delete(call: Call, body: Body) -> HttpResponse:
    value = body.get("Value")
    if not isinstance(value, int):
        raise invalid("DeleteOptionValue needs 'Value', a whole number.")
    option_sets.change(call, body, lambda options: option_sets.without_option(options, value))
    return nothing()


def _order(call: Call, body: Body) -> HttpResponse:
    values = body.get("Values")

    def order(options: OptionSet) -> OptionSet:
        known = sorted(item.value for item in options.options)
        if not isinstance(values, list) or sorted(values) != known:
            raise invalid("OrderOption needs 'Values', all values of the option set in order.")
        ordered = sorted(options.options, key=lambda item: values.index(item.value))
        return replace(options, options=tuple(ordered))

    option_sets.change(call, body, order)
    return nothing()


_CHANGES: Mapping[str, Callable[[Call, Body], HttpResponse]] = {
    "CreateEntities": _create_entities,
    "InsertOptionValue": _insert,
    "InsertStatusValue": _insert,
    "UpdateOptionValue": _update,
    "UpdateStateValue": _update,
    "DeleteOptionValue": _delete,
    "OrderOption": _order,
}
ACTIONS = frozenset({*_CHANGES, "PublishXml", "PublishAllXml"})
"""Names of all actions served here."""
