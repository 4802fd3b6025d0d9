"""Values of records in the JSON of transactions, without loss.

Text, whole numbers, booleans and null are themselves. A decimal is {"decimal": "1.50"}, a
floating-point number {"float": "1.125"}: a JSON number would lose places, or which of the two it
was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from organizations.records import Value
from syncjobs.engine.transactions import Changed, Conflict

_DECIMAL, _FLOAT = "decimal", "float"
Document = dict[str, Any]


def dump(value: Value) -> object:
    """Return a value as JSON."""
    if isinstance(value, Decimal):
        return {_DECIMAL: str(value)}
    if isinstance(value, float):
        return {_FLOAT: repr(value)}
    return value


def load(document: Any) -> Value:
    """Return the value that `dump` was given."""
    if isinstance(document, dict):
        text = document.get(_DECIMAL)
        return float(document[_FLOAT]) if text is None else Decimal(text)
    value: Value = document
    return value


def dump_changes(changes: Mapping[str, Changed] | None) -> Document | None:
    """Return changes as {column: [old, new]}."""
    if changes is None:
        return None
    return {name: [dump(pair.old), dump(pair.new)] for name, pair in changes.items()}


def load_changes(
    document: Mapping[str, Sequence[Any]] | None,
) -> dict[str, Changed] | None:
    """Return the changes that `dump_changes` was given."""
    if document is None:
        return None
    return {name: Changed(load(old), load(new)) for name, (old, new) in document.items()}


def dump_conflict(conflict: Conflict | None) -> Document | None:
    """Return a conflict as {base, server, client: {column: value}, server_version}."""
    if conflict is None:
        return None
    sides = {"base": conflict.base, "server": conflict.server, "client": conflict.client}
    found: Document = {
        side: {name: dump(value) for name, value in values.items()}
        for side, values in sides.items()
    }
    return found | {"server_version": conflict.server_version}


def load_conflict(document: Document | None) -> Conflict | None:
    """Return the conflict that `dump_conflict` was given."""
    if document is None:
        return None
    base, server, client = (
        {name: load(value) for name, value in document[side].items()}
        for side in ("base", "server", "client")
    )
    return Conflict(
        base=base, server=server, client=client, server_version=document["server_version"]
    )
