"""Parts of a record by their own addresses: properties, raw values, references (part 1, 11.2.3).

`account('id')/name`, `…/name/$value`, `…/{lookup}_{entity}/$ref`. What is null is answered with
204.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpResponse

from organizations.odata import writing
from organizations.odata.call import Call, answer, nothing, text
from organizations.odata.errors import ODataError, not_served, unknown
from organizations.odata.expanding import printer
from organizations.odata.names import Navigation, Shape, property_name
from organizations.odata.negotiation import PLAIN, check_plain
from organizations.odata.reading import context
from organizations.odata.rows import Document
from organizations.odata.wishes import check_options
from organizations.schema import Attribute

VALUE, REF = "$value", "$ref"
_FORMAT = frozenset({"$format"})


def property_of(call: Call, shape: Shape, record_id: str, name: str, rest: str) -> HttpResponse:
    """Answer a request to a property; `rest` is what follows its name."""
    attribute = shape.properties[name]
    if rest == VALUE and call.method == "GET":
        return _raw(call, shape, record_id, attribute)
    if rest:
        raise _no_way(call, name, rest)
    if call.method == "GET":
        return _value(call, shape, record_id, attribute)
    if call.method in ("PUT", "PATCH"):
        return _put(call, shape, record_id, name)
    if call.method == "DELETE":
        writing.write(call, shape, record_id, {attribute.name: None})
        return nothing()
    raise writing.wrong_method(call, "GET", "PUT", "PATCH", "DELETE")


def _no_way(call: Call, name: str, rest: str) -> ODataError:
    if rest == VALUE:
        return not_served(f"{call.method} of a raw value")
    return unknown(f"part of '{name}'", rest)


def _value(call: Call, shape: Shape, record_id: str, attribute: Attribute) -> HttpResponse:
    check_options(call, _FORMAT, "a property")
    document, tag = _row(call, shape, record_id, attribute)
    name = property_name(attribute)
    if document[name] is None:
        return nothing()
    place = f"{context(call, shape)}('{record_id}')/{name}"
    notes = {
        f"@{key.partition('@')[2]}": value
        for key, value in document.items()
        if key.startswith(f"{name}@")
    }
    response = answer({"@odata.context": place} | notes | {"value": document[name]}, form=call.form)
    response["ETag"] = tag
    return response


def _raw(call: Call, shape: Shape, record_id: str, attribute: Attribute) -> HttpResponse:
    check_options(call, _FORMAT, "a raw value")
    check_plain(call.header("Accept"), call.options.get("$format"), PLAIN)
    document, tag = _row(call, shape, record_id, attribute)
    value = document[property_name(attribute)]
    if value is None:
        return nothing()
    response = text(_plain(value), PLAIN)
    response["ETag"] = tag
    return response


def _plain(value: Any) -> str:
    if isinstance(value, list):
        raise not_served("The raw value of a list")
    if isinstance(value, bool | float):
        return orjson.dumps(value).decode()
    return format(value, "f") if not isinstance(value, str | int) else str(value)


def _row(call: Call, shape: Shape, record_id: str, attribute: Attribute) -> tuple[Document, str]:
    writer = printer(call, shape, [attribute])
    rows = call.store.fetch(shape.entity.name, writer.columns, [record_id])
    if not rows:
        raise unknown(f"record of '{shape.entity.name}'", record_id)
    document = writer.write(call.store, rows)[0]
    return document, str(document["@odata.etag"])


def _put(call: Call, shape: Shape, record_id: str, name: str) -> HttpResponse:
    body = call.body()
    if "value" not in body:
        raise ODataError(f"The body of '{name}' is an object with 'value'.", target="value")
    values = writing.values_of(shape, {name: body["value"]})
    writing.write(call, shape, record_id, values)
    return nothing()


def target_of(
    call: Call, shape: Shape, record_id: str, navigation: Navigation
) -> tuple[Shape, str] | None:
    """Return the record that a navigation leads to; None where it leads nowhere.

    Raises ODataError 404 where the record itself is not there.
    """
    attribute = navigation.attribute
    columns = [attribute.name, *([f"{attribute.name}__type"] if attribute.is_polymorphic else [])]
    rows = call.store.fetch(shape.entity.name, columns, [record_id])
    if not rows:
        raise unknown(f"record of '{shape.entity.name}'", record_id)
    found, kind = rows[0][0], rows[0][1] if attribute.is_polymorphic else navigation.target
    if found is None or kind != navigation.target:
        return None
    return call.shape(navigation.target), str(found)


def reference(call: Call, shape: Shape, record_id: str, navigation: Navigation) -> HttpResponse:
    """Answer a request to `/$ref`: read, set or remove what a lookup points to."""
    if call.method == "GET":
        found = target_of(call, shape, record_id, navigation)
        if found is None:
            return nothing()
        address = f"{call.root}{found[0].entity.name}('{found[1]}')"
        told = {"@odata.context": f"{call.root}$metadata#$ref", "@odata.id": address}
        return answer(told, form=call.form)
    if call.method == "PUT":
        address = str(call.body().get("@odata.id") or "")
        target = writing.bound(navigation, "@odata.id", address)
        writing.write(call, shape, record_id, {navigation.attribute.name: target})
        return nothing()
    if call.method == "DELETE":
        _remove(call, shape, record_id, navigation)
        return nothing()
    raise writing.wrong_method(call, "GET", "PUT", "DELETE")


def _remove(call: Call, shape: Shape, record_id: str, navigation: Navigation) -> None:
    """Clear a lookup, unless it points to a record of another entity."""
    found = target_of(call, shape, record_id, navigation)
    if found is not None:
        writing.write(call, shape, record_id, {navigation.attribute.name: None})
