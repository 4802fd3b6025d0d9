"""One canonical form per attribute type: what decides "unchanged", on every side (design 5.1.3).

======================  ==========================================================================
type                    canonical Python value
======================  ==========================================================================
text, memo              ``str``; empty text is ``None``; XML-illegal characters are refused
GUID, lookup            ``str``, lower case (a lookup's entity is a column of its own)
integer, option, state  ``int``
decimal, money          ``Decimal`` rounded half up at the attribute's precision
double                  ``float`` rounded at the attribute's precision
boolean                 ``bool``
date and time           ``str`` ``2024-05-01T10:00:00Z``: UTC, whole seconds
  time-zone independent ``str`` ``2024-05-01T10:00:00``: never shifted
  date only             ``str`` ``2024-05-01``: never shifted
multi-select            ``str`` of sorted, distinct values joined by commas: ``1,2``
party list              ``str``: JSON array of sorted ``[mask, entity, id-or-address]``
======================  ==========================================================================

Every reader of a wire format parses with :func:`parse`; canonical values go to PostgreSQL, to a
digest and to JSON as they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from uuid import UUID

import orjson

from organizations.records import Value
from organizations.schema import Attribute, AttributeType, DateBehavior

DEFAULT_PRECISION = 10
ILLEGAL_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CANONICAL_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_CANONICAL_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)


class InvalidValue(ValueError):
    """A value that its attribute cannot hold; the message names the attribute and the reason."""


def parse(attribute: Attribute, value: object) -> Value:
    """Return the canonical form of a value given as text or as JSON.

    Raises InvalidValue with a sentence that names the attribute.
    """
    if value is None or value == "":
        return None
    try:
        return _parser(attribute)(attribute, value)
    except InvalidValue:
        raise
    except (TypeError, ValueError, OverflowError, InvalidOperation) as error:
        shown = str(value)[:80]
        raise InvalidValue(
            f"'{shown}' is not a {attribute.type} value for attribute '{attribute.name}'."
        ) from error


def guid(value: object) -> str:
    """Return a GUID in lower case with hyphens; braces and any letter case are accepted."""
    text = str(value)
    return text if _CANONICAL_GUID.match(text) else str(UUID(text))


def instant(value: object) -> str:
    """Return a point in time as UTC text with whole seconds; text without a zone is UTC."""
    if isinstance(value, str) and _CANONICAL_INSTANT.match(value):
        datetime.fromisoformat(value)
        return value
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def _text(attribute: Attribute, value: object) -> Value:
    if not isinstance(value, str):
        raise InvalidValue(f"Attribute '{attribute.name}' takes text, not {value!r:.80}.")
    if found := ILLEGAL_TEXT.search(value):
        code = ord(found.group())
        raise InvalidValue(
            f"Attribute '{attribute.name}' holds the character U+{code:04X} at position "
            f"{found.start()}, which XML cannot carry. Remove it on the server."
        )
    return value


def _integer(attribute: Attribute, value: object) -> Value:
    if isinstance(value, bool):
        raise InvalidValue(f"Attribute '{attribute.name}' takes a whole number, not {value}.")
    if isinstance(value, float) and not value.is_integer():
        raise InvalidValue(f"Attribute '{attribute.name}' takes a whole number, not {value}.")
    return int(value)  # type: ignore[call-overload, no-any-return]


def _decimal(attribute: Attribute, value: object) -> Value:
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise InvalidValue(f"Attribute '{attribute.name}' takes a finite number, not {value}.")
    return quantize(number, attribute.precision)


def quantize(number: Decimal, precision: int | None) -> Decimal:
    """Round half up to `precision` places (the default where it is unknown or a currency's)."""
    places = DEFAULT_PRECISION if precision is None or precision < 0 else precision
    result = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return abs(result) if result.is_zero() else result


def _double(attribute: Attribute, value: object) -> Value:
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise InvalidValue(f"Attribute '{attribute.name}' takes a finite number, not {value}.")
    number = number if attribute.precision is None else round(number, attribute.precision)
    return number + 0.0


def _boolean(attribute: Attribute, value: object) -> Value:
    known = {"true": True, "1": True, "false": False, "0": False}
    text = str(value).lower()
    if text not in known:
        raise InvalidValue(f"Attribute '{attribute.name}' takes true or false, not {value!r:.80}.")
    return known[text]


def _datetime(attribute: Attribute, value: object) -> Value:
    behavior = attribute.date_behavior
    if behavior is DateBehavior.USER_LOCAL:
        return instant(value)
    text = value.isoformat() if isinstance(value, date) else str(value)
    if behavior is DateBehavior.DATE_ONLY:
        return date.fromisoformat(text[:10]).isoformat()
    return datetime.fromisoformat(text).replace(tzinfo=None).isoformat(timespec="seconds")


def _guid(attribute: Attribute, value: object) -> Value:
    return guid(value)


def _multiselect(attribute: Attribute, value: object) -> Value:
    parts = value if isinstance(value, list | tuple) else str(value).replace(";", ",").split(",")
    numbers = sorted({int(part) for part in parts if str(part).strip()})
    return ",".join(map(str, numbers)) or None


def _parties(attribute: Attribute, value: object) -> Value:
    rows = orjson.loads(value) if isinstance(value, str) else value
    if not isinstance(rows, list | tuple):
        raise InvalidValue(f"Attribute '{attribute.name}' takes a list of parties.")
    parties = {_party(attribute, *row) for row in rows}
    return orjson.dumps(sorted(parties)).decode() if parties else None


def _party(
    attribute: Attribute, mask: object, entity: object, party: object
) -> tuple[int, str, str]:
    number = _integer(attribute, mask)
    if not isinstance(number, int) or not 0 <= number < 2**31:
        raise InvalidValue(f"Attribute '{attribute.name}' has a party of the kind {number}.")
    return number, str(_text(attribute, entity or "")), str(_text(attribute, party)).lower()


_PARSERS: dict[AttributeType, Callable[[Attribute, object], Value]] = {
    AttributeType.UNIQUEIDENTIFIER: _guid,
    AttributeType.INTEGER: _integer,
    AttributeType.BIGINT: _integer,
    AttributeType.PICKLIST: _integer,
    AttributeType.STATE: _integer,
    AttributeType.STATUS: _integer,
    AttributeType.DECIMAL: _decimal,
    AttributeType.MONEY: _decimal,
    AttributeType.DOUBLE: _double,
    AttributeType.BOOLEAN: _boolean,
    AttributeType.DATETIME: _datetime,
    AttributeType.MULTISELECT: _multiselect,
    AttributeType.LOOKUP: _guid,
    AttributeType.CUSTOMER: _guid,
    AttributeType.OWNER: _guid,
    AttributeType.PARTYLIST: _parties,
}


def _parser(attribute: Attribute) -> Callable[[Attribute, object], Value]:
    return _PARSERS.get(attribute.type, _text)
