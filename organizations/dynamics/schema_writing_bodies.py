"""What bodies of metadata writes say: clean JSON, complete labels, known names.

Texts in languages the organization does not have are ignored. On an update, texts that the body
leaves out stay only with `MSCRM.MergeLabels: true` (dataverse.md 2.6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from organizations.dynamics.call import Call
from organizations.dynamics.codec.properties import Json
from organizations.dynamics.schema_writing_faults import bad_prefix, invalid, unknown_member

_PREFIXED = re.compile(r"(?!mscrm)[A-Za-z][A-Za-z0-9]{1,7}_[A-Za-z0-9_]+\Z", re.IGNORECASE)
_LONGEST_NAME = 100
_TEXTS = "LocalizedLabels"


def clean(call: Call, body: Mapping[str, Any]) -> Json:
    """Return a body without annotations, its labels completed with ids."""
    languages = frozenset({*call.organization.languages, call.organization.language})
    found: Json = _cleaned(body, languages)
    return found


def _cleaned(value: Any, languages: frozenset[int]) -> Any:
    if isinstance(value, list):
        return [_cleaned(item, languages) for item in value]
    if not isinstance(value, Mapping):
        return value
    if isinstance(value.get(_TEXTS), list):
        return {_TEXTS: [_text(item) for item in value[_TEXTS] if _code(item) in languages]}
    return {name: _cleaned(item, languages) for name, item in value.items() if "@" not in name}


def _code(item: Any) -> int:
    if not isinstance(item, Mapping) or not isinstance(item.get("LanguageCode"), int):
        raise invalid("A localized label needs a LanguageCode.")
    return int(item["LanguageCode"])


def _text(item: Mapping[str, Any]) -> Json:
    return {
        "Label": str(item.get("Label") or ""),
        "LanguageCode": item["LanguageCode"],
        "IsManaged": False,
        "MetadataId": item.get("MetadataId") or str(uuid4()),
        "HasChanged": None,
    }


def merged(before: Mapping[str, Any], body: Mapping[str, Any], *, keep_labels: bool) -> Json:
    """Return a whole document with what a body changes; null changes nothing."""
    found = {**before}
    for name, value in body.items():
        if value is None:
            continue
        if _is_label(before.get(name)):
            value = _merged_label(before[name], value, keep=keep_labels)
        elif isinstance(before.get(name), dict) and isinstance(value, dict):
            value = before[name] | value
        found[name] = value
    return found


def _is_label(value: Any) -> bool:
    return isinstance(value, Mapping) and _TEXTS in value


def _merged_label(before: Mapping[str, Any], value: Any, *, keep: bool) -> Json:
    if not _is_label(value):
        return dict(before)
    texts = {item["LanguageCode"]: item for item in (before[_TEXTS] if keep else ())}
    texts |= {item["LanguageCode"]: item for item in value[_TEXTS]}
    return {_TEXTS: [item for item in texts.values() if item["Label"]]}


def keeps_labels(call: Call) -> bool:
    """Return whether texts that a body leaves out shall stay."""
    return call.header("MSCRM.MergeLabels").lower() == "true"


def check_names(body: Mapping[str, Any], known: Iterable[str], kind: str) -> None:
    """Refuse properties that the type does not have. Raises WebApiError 400."""
    names = frozenset(known)
    for name in body:
        if name not in names:
            raise unknown_member(name, kind)


def schema_name(body: Mapping[str, Any], kind: str, key: str = "SchemaName") -> str:
    """Return the name a new element asks for. Raises WebApiError 400."""
    name = body.get(key)
    if not isinstance(name, str) or not name:
        raise invalid(f"A new {kind} needs a {key}.")
    if not _PREFIXED.match(name):
        raise bad_prefix(kind, name)
    if len(name) > _LONGEST_NAME:
        raise invalid(f"The name '{name[:40]}…' of a {kind} is longer than {_LONGEST_NAME}.")
    return name


def required(body: Mapping[str, Any], name: str, kind: str) -> str:
    """Return a text that a body must hold. Raises WebApiError 400."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"{kind} needs '{name}'.")
    return value


def born() -> Json:
    """Return the properties that a new element gets: an id and the time."""
    return {"MetadataId": str(uuid4()), "CreatedOn": now(), "ModifiedOn": now()}


def now() -> str:
    """Return the time as metadata tell it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
