"""Which record is meant: an id, or a URL of either side (dataverse.md: record and Web API URLs)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

from organizations.errors import InvalidRequest

_GUID = r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"
_PLAIN = re.compile(rf"\{{?({_GUID})\}}?\Z")
_WITH_ENTITY = re.compile(rf"([A-Za-z_][\w]*)[\s,:;/]+\{{?({_GUID})\}}?\Z")
_KEYED = re.compile(rf"([A-Za-z_]\w*)\((?:\w+=)?\{{?({_GUID})\}}?\)")
_IN_PATH = re.compile(rf"(?:([A-Za-z_]\w*)/)?({_GUID})(?:/|\Z)")
_EXPECTED = (
    "Give an id, an entity and an id ('account 00000000-0000-0000-0000-000000000001'), the "
    "address of a Dynamics record (main.aspx?etn=account&id=…), or a Web API address "
    "(…/accounts(00000000-0000-0000-0000-000000000001))."
)


@dataclass(frozen=True, slots=True)
class Named:
    """A record as it was named: its id in lower case; `entity` as written, '' if it was not."""

    id: str
    entity: str = ""


def parse(text: str) -> Named:
    """Return which record is meant. Raises InvalidRequest (`record`)."""
    given = text.strip()
    if "://" in given or given.startswith(("/", "?")) or "main.aspx" in given:
        return _of_url(given)
    if found := _PLAIN.match(given):
        return Named(_id(found[1]))
    for pattern in (_WITH_ENTITY, _KEYED):
        if found := pattern.match(given):
            return Named(_id(found[2]), found[1])
    raise InvalidRequest(f"'{given[:100]}' names no record. {_EXPECTED}", "record")


def resolve(entity: str, names: Iterable[str], sets: Mapping[str, str]) -> str:
    """Return the logical name of an entity or of an entity set. Raises InvalidRequest (`record`).

    `sets` is {entity set name: logical name}.
    """
    wanted = entity.lower()
    if wanted in set(names):
        return wanted
    found = {name.lower(): logical for name, logical in sets.items()}.get(wanted)
    if found is None:
        raise InvalidRequest(
            f"The connection has no entity '{entity[:80]}'. Check its logical name.", "record"
        )
    return found


def _of_url(url: str) -> Named:
    parts = urlsplit(url)
    # A model-driven app can carry the record behind the '#' too.
    asked = {
        name.lower(): value
        for query in (parts.fragment, parts.query)
        for name, value in parse_qsl(query.lstrip("?"))
    }
    if found := _PLAIN.match(asked.get("id", "").strip()):
        return Named(_id(found[1]), asked.get("etn") or asked.get("typename", ""))
    path = unquote(parts.path)
    for pattern in (_KEYED, _IN_PATH):
        if matches := pattern.findall(path):
            name, found_id = matches[-1]
            return Named(_id(found_id), name)
    raise InvalidRequest(f"The address '{url[:200]}' names no record. {_EXPECTED}", "record")


def _id(text: str) -> str:
    return str(UUID(text))
