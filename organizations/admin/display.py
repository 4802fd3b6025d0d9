"""Values in words: choices by their labels, dates, parties, and links to looked-up records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import orjson

from organizations.errors import OrganizationError
from organizations.records import RecordValue, Reference, Value
from organizations.schema import Attribute, AttributeType, Entity
from organizations.store import Store

LONG = 120
MASKS = {
    1: "From",
    2: "To",
    3: "CC",
    4: "BCC",
    5: "Required",
    6: "Optional",
    7: "Organizer",
    8: "Regarding",
    9: "Owner",
    10: "Resource",
    11: "Customer",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A value on a page: its text, the text as stored where that differs, and what it links to.

    `is_missing` marks a lookup whose record is not on this side.
    """

    text: str = ""
    stored: str = ""
    references: tuple[Shown, ...] = ()
    entity: str = ""
    id: str = ""
    is_missing: bool = False

    @property
    def short(self) -> str:
        """The text as it fits into a cell."""
        line = self.text.replace("\n", " ")
        return line if len(line) <= LONG else f"{line[:LONG]}…"


Names = Mapping[tuple[str, str], str | None]
"""Names of records by entity and id; None: the record has no name. Absent: it is not here."""


def shown(attribute: Attribute, value: RecordValue, names: Names, lcid: int) -> Shown:
    """Return how a value is shown."""
    if value is None:
        return Shown()
    if isinstance(value, Reference):
        return reference(value, names)
    if attribute.type is AttributeType.PARTYLIST:
        return Shown(references=tuple(_party(item, names) for item in parties(value)))
    if attribute.option_set is not None:
        return _chosen(attribute, value, lcid)
    return Shown(_plain(attribute, value))


def reference(value: Reference, names: Names) -> Shown:
    """Return how a looked-up record is shown."""
    key = (value.entity, value.id)
    if key not in names:
        return Shown(value.id, entity=value.entity, id=value.id, is_missing=True)
    return Shown(names[key] or value.id, entity=value.entity, id=value.id)


def parties(value: Value) -> list[tuple[int, str, str]]:
    """Return the mask, entity and id or address of each party in a canonical list."""
    return [
        (int(mask), str(entity), str(party)) for mask, entity, party in orjson.loads(str(value))
    ]


def _party(party: tuple[int, str, str], names: Names) -> Shown:
    mask, entity, found = party
    kind = MASKS.get(mask, f"Role {mask}")
    if not entity:
        return Shown(found, kind)
    item = reference(Reference(entity, found), names)
    return Shown(item.text, kind, entity=entity, id=found, is_missing=item.is_missing)


def _chosen(attribute: Attribute, value: Value, lcid: int) -> Shown:
    labels = {
        option.value: option.label.text(lcid)
        for option in (attribute.option_set.options if attribute.option_set else ())
    }
    numbers = [
        int(part) for part in str(int(value) if isinstance(value, bool) else value).split(",")
    ]
    text = ", ".join(labels.get(number) or f"unknown choice {number}" for number in numbers)
    return Shown(text, str(value).lower() if isinstance(value, bool) else str(value))


def _plain(attribute: Attribute, value: Value) -> str:
    if attribute.type is AttributeType.DATETIME:
        return _moment(str(value))
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal | float) or attribute.type is AttributeType.INTEGER:
        return f"{value:,}"
    return str(value)


def _moment(text: str) -> str:
    if len(text) == len("2024-05-01"):
        return text
    moment = datetime.fromisoformat(text)
    zone = " UTC" if moment.tzinfo else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{zone}"


def names_of(store: Store, values: Iterable[RecordValue], lists: Iterable[Value] = ()) -> Names:
    """Return the names of the records these values point to, one statement per entity.

    `lists` are canonical party lists.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for value in values:
        if isinstance(value, Reference):
            wanted[value.entity].add(value.id)
    for text in lists:
        for _, entity, party in parties(text):
            if entity:
                wanted[entity].add(party)
    found: dict[tuple[str, str], str | None] = {}
    for entity, ids in wanted.items():
        found |= _names(store, entity, sorted(ids))
    return found


def _names(store: Store, name: str, ids: list[str]) -> dict[tuple[str, str], str | None]:
    if not store.catalog.enabled(name):
        return {}
    entity = store.catalog.entity(name)
    columns = [entity.primary_id, *([label] if (label := name_column(entity)) else [])]
    try:
        rows = store.fetch(name, columns, ids)
    except OrganizationError:
        # The entity was disabled since: its records are as good as absent.
        return {}
    return {(name, str(row[0])): str(row[1]) if label and row[1] else None for row in rows}


def name_column(entity: Entity) -> str | None:
    """Return the stored attribute that names records, or None."""
    attribute = entity.attribute(entity.primary_name) if entity.primary_name else None
    return attribute.name if attribute and attribute.is_stored and not attribute.is_hidden else None
