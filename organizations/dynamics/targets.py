"""References to records in bodies: `/contacts(<guid>)`, absolute or relative, or by a key."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from organizations.dynamics import keys, resource
from organizations.dynamics.call import Call
from organizations.dynamics.errors import MALFORMED, bad_request, unknown_record, unknown_segment
from organizations.dynamics.names import Navigation, Shape
from organizations.records import Reference

_ROOT = re.compile(r"/?(?:[^()]*/)?api/data/v\d+\.\d+/")


def resolve(call: Call, text: object, navigation: Navigation) -> Reference:
    """Return the record that a bind or `@odata.id` names.

    Raises WebApiError: 400 for what is no reference or of a wrong entity, 404 for a record that
    is not there.
    """
    if not isinstance(text, str) or not text:
        raise bad_request(f"'{navigation.name}' must be bound to the address of a record.")
    shape, segment = addressed(call, text)
    if shape.entity.name not in navigation.targets:
        raise bad_request(
            f"'{navigation.name}' takes a reference to {' or '.join(navigation.targets)}, not to "
            f"{shape.entity.name}.",
            MALFORMED,
        )
    record_id = keys.record_id(call, shape, segment)
    key = shape.entity.primary_id
    if not call.store.fetch(shape.entity.name, [key], [record_id]):
        raise unknown_record(shape.entity.name, record_id)
    return Reference(shape.entity.name, record_id)


def addressed(call: Call, text: str) -> tuple[Shape, resource.Segment]:
    """Return the entity and the key of a record's address. Raises WebApiError 400, 404."""
    path = unquote(urlsplit(text).path if "://" in text else text)
    segments = resource.parse(_ROOT.sub("", path, count=1).strip("/"))
    if len(segments) != 1 or not segments[0].called:
        raise bad_request(f"'{text[:200]}' is not the address of a record.", MALFORMED)
    shape = call.shape(segments[0].name)
    if shape is None:
        raise unknown_segment(segments[0].name)
    return shape, segments[0]
