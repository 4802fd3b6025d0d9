"""What the records of Mobile Tracking tell: Resco's plug-ins for Dynamics write them.

The name of the entity is published (resco.md §4.5), its fields are not. The layout is assumed, and
stands here and in `organizations.dynamics.tracking` only: `resco_operation` 1 is a deletion, 2 a
removed pair (`resco_recordid` is the row of the intersect entity), 3 a new owner; 0 tells, as JSON
in `resco_configuration`, what is tracked from then on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import orjson

from connections.connectors.base import Tracking
from connections.errors import MetadataChanged
from organizations.records import Page, Value

ENTITY = "resco_mobiletracking"
_CONFIGURATION, _DELETE, _DISASSOCIATE, _OWNER = range(4)
_KNOWN = ("resco_operation", "resco_entityname", "resco_recordid", "resco_configuration")
_KINDS = ("pairs", "deletes", "owners")


def read(page: Page) -> Tracking:
    """Return what a page tells. Raises MetadataChanged."""
    missing = [name for name in _KNOWN if name not in page.columns]
    if missing:
        raise MetadataChanged(
            f"'{ENTITY}' of the server has no field '{missing[0]}': its records were written by "
            "other plug-ins than those known. Set Sync Deletion of the entities instead."
        )
    places = [page.columns.index(name) for name in _KNOWN]
    deleted, owners = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    newest: tuple[int, str] = (0, "")
    for row, version in zip(page.rows, page.versions, strict=True):
        operation, entity, record, configuration = (_text(row[place]) for place in places)
        if operation == str(_CONFIGURATION):
            newest = max(newest, (version, configuration))
        elif operation in (str(_DELETE), str(_DISASSOCIATE)):
            deleted[entity].append(record.lower())
        elif operation == str(_OWNER):
            owners[entity].append(record.lower())
    covered = frozenset(_covered(newest[1])) if newest[0] else None
    return Tracking(deleted=deleted, owners=owners, covered=covered, since=newest[0])


def _text(value: Value) -> str:
    return "" if value is None else str(value)


def _covered(configuration: str) -> Iterator[str]:
    """Yield `account deletes` and so on."""
    try:
        document = orjson.loads(configuration)
        for kind in _KINDS:
            yield from (f"{name} {kind}" for name in document[kind])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise MetadataChanged(
            f"A record of '{ENTITY}' on the server tells what is tracked in a form that is not "
            "known. Save the Plugins page again."
        ) from error
