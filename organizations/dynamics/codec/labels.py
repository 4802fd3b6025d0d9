"""Labels: texts in all languages belong to the vocabulary, their ids to `extras`.

A *shadow* is the list of a label's texts without the texts: language, id, managed or not, in the
order of the document. A text that is empty in the document stands in the shadow only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from organizations.dynamics.codec.properties import Json, metadata_id
from organizations.schema import ENGLISH, Label


def label_from_json(raw: object) -> Label:
    """Return the texts of a label; absent or null gives an empty one."""
    return Label.of({item["LanguageCode"]: item.get("Label") or "" for item in _texts(raw)})


def label_shadow(raw: object) -> list[Json]:
    """Return a label's texts without the texts, to be kept in `extras`."""
    return [
        {key: value for key, value in item.items() if not _is_restored(key, value)}
        for item in _texts(raw)
    ]


def _is_restored(key: str, value: object) -> bool:
    return (key == "Label" and bool(value)) or (key == "HasChanged" and value is None)


def _texts(raw: object) -> Sequence[Mapping[str, Any]]:
    if not isinstance(raw, Mapping):
        return ()
    if listed := raw.get("LocalizedLabels"):
        return [item for item in listed if isinstance(item.get("LanguageCode"), int)]
    alone = raw.get("UserLocalizedLabel")
    return (alone,) if isinstance(alone, Mapping) and "LanguageCode" in alone else ()


def label_to_json(
    label: Label, shadow: object = None, *, language: int = ENGLISH, path: tuple[str, ...] = ()
) -> Json:
    """Return a label with all its languages.

    `language` is the caller's: its text, or else the first, is the UserLocalizedLabel. `path`
    names the label, for the ids of texts that never had one.
    """
    known = dict(label.texts)
    items = [
        {"HasChanged": None, **item, "Label": known.pop(item["LanguageCode"], "")}
        for item in (shadow if isinstance(shadow, list) else ())
        if item["LanguageCode"] in known or "Label" in item
    ]
    items += [_text(lcid, text, path) for lcid, text in known.items()]
    mine = next((item for item in items if item["LanguageCode"] == language), None)
    return {"LocalizedLabels": items, "UserLocalizedLabel": mine or next(iter(items), None)}


def _text(lcid: int, text: str, path: tuple[str, ...]) -> Json:
    return {
        "Label": text,
        "LanguageCode": lcid,
        "IsManaged": False,
        "MetadataId": metadata_id("label", *path, str(lcid)),
        "HasChanged": None,
    }
