"""Values as the REST services write them (resco.md §1.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

import orjson
from lxml import etree

from organizations.errors import InvalidRequest
from organizations.participation import MASKS
from organizations.records import RecordValue, Reference
from organizations.rest.markup import children, escape, local_name
from organizations.schema import Attribute, AttributeType
from organizations.values import guid

T = AttributeType
_TYPES: Mapping[AttributeType, str] = {
    T.UNIQUEIDENTIFIER: "UniqueIdentifier",
    T.INTEGER: "Integer",
    T.BIGINT: "BigInt",
    T.DECIMAL: "Decimal",
    T.DOUBLE: "Float",
    T.MONEY: "Money",
    T.BOOLEAN: "Boolean",
    T.DATETIME: "DateTime",
    T.PICKLIST: "Picklist",
    T.STATE: "Picklist",
    T.STATUS: "PicklistMap",
    T.LOOKUP: "Lookup",
    T.CUSTOMER: "Lookup",
    T.OWNER: "Lookup",
    T.PARTYLIST: "PartyList",
    T.FILE: "Binary",
    T.IMAGE: "Binary",
}
"""Type words of metadata (resco.md §1.3); every other attribute is a String."""

_ADDRESS = ""
"""A party that is only an address is of no entity."""


def type_word(attribute: Attribute) -> str:
    """Return the type of an attribute in the words of metadata."""
    return _TYPES.get(attribute.type, "String")


def column_word(attribute: Attribute) -> str:
    """Return the type of a column of an answer: clients know no PicklistMap there (§1.6)."""
    if attribute.is_primary_id:
        return "PrimaryKey"
    if attribute.type in (T.STATUS, T.BIGINT):
        return "Picklist" if attribute.type is T.STATUS else "Integer"
    return type_word(attribute)


def text_of(value: RecordValue, labels: Mapping[str, str]) -> str:
    """Return a value as escaped text; `labels` name the records that lookups point to."""
    if isinstance(value, Reference):
        label = labels.get(value.id)
        return escape(
            f"{value.entity}:{value.id}:{label}" if label else f"{value.entity}:{value.id}"
        )
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        return repr(value)
    return escape(str(value))


def parties_of(text: str) -> str:
    """Return the elements of a party list (§1.3): an address is URI-encoded."""
    return "".join(_party(entity, party) for _, entity, party in orjson.loads(text))


def _party(entity: str, party: str) -> str:
    if entity == _ADDRESS:
        return f"<party addressused={quoteattr(quote(party))} />"
    return f"<party>{escape(f'{entity}:{party}')}</party>"


def read(attribute: Attribute, found: etree._Element) -> RecordValue:
    """Return the value that an element gives to an attribute. Raises InvalidRequest."""
    if attribute.type is T.PARTYLIST:
        return _read_parties(attribute, found)
    text = found.text or ""
    if any(True for _ in children(found)):
        raise InvalidRequest(
            f"Attribute '{attribute.name}' takes text, not further elements.", attribute.name
        )
    if attribute.is_lookup:
        return read_lookup(attribute, text.strip())
    if not text:
        return None
    return text if attribute.type in (T.STRING, T.MEMO) else text.strip()


def read_lookup(attribute: Attribute, text: str) -> RecordValue:
    """Return the reference of `entity:guid` or `entity:guid:label`; a guid alone has one target."""
    if not text:
        return None
    entity, colon, rest = text.partition(":")
    if colon:
        return Reference(entity, rest.partition(":")[0])
    if len(attribute.targets) == 1:
        return Reference(attribute.targets[0], text)
    raise InvalidRequest(
        f"Attribute '{attribute.name}' takes entity:guid, not '{text[:80]}'.", attribute.name
    )


def id_of(found: etree._Element) -> str | None:
    """Return the id alone of `entity:guid:label`, of `entity:guid` or of a guid."""
    text = (found.text or "").strip()
    _, colon, rest = text.partition(":")
    return (rest.partition(":")[0] if colon else text) or None


def _read_parties(attribute: Attribute, found: etree._Element) -> RecordValue:
    parties = list(_parties(attribute, children(found)))
    return orjson.dumps(parties).decode() if parties else None


def _parties(
    attribute: Attribute, elements: Iterable[etree._Element]
) -> Iterable[tuple[int, str, str]]:
    mask = MASKS.get(attribute.name, 0)
    for one in elements:
        if local_name(one) != "party":
            raise InvalidRequest(
                f"'{attribute.name}' holds party elements, not '{local_name(one)}'.", attribute.name
            )
        text, address = (one.text or "").strip(), one.get("addressused", "")
        if text:
            entity, _, party = text.partition(":")
            yield mask, entity, _party_id(attribute, text, party.partition(":")[0])
        elif address:
            yield mask, _ADDRESS, unquote(address)


def _party_id(attribute: Attribute, text: str, party: str) -> str:
    try:
        return guid(party)
    except ValueError as error:
        raise InvalidRequest(
            f"A party of '{attribute.name}' is entity:guid, not '{text[:80]}'.", attribute.name
        ) from error
