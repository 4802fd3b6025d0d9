"""Localizations: display names of entities, attributes and options in one language (§2.1).

A name is `entity`, `entity.attribute` or `entity.attribute.optionvalue`; `entity;collection` for
the plural is an addition of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from organizations.errors import InvalidRequest
from organizations.rest.markup import attributes, children, local_name
from organizations.schema import Entity, Label

Labels = Mapping[str, str]
"""Name → text, in one language."""

COLLECTION = ";collection"
LONGEST = 2000
"""Characters of a label (assumed)."""


def labels_xml(lcid: int, labels: Iterator[tuple[str, str]]) -> str:
    """Return the document of one language."""
    listed = "".join(
        f"<DisplayName{attributes(Name=name)}>{_escaped(text)}</DisplayName>"
        for name, text in labels
    )
    return f"<Language{attributes(LCID=str(lcid))}>{listed}</Language>"


def labels_of(entity: Entity, lcid: int) -> Iterator[tuple[str, str]]:
    """Yield the labels of an entity that are there in that language."""
    yield from _one(entity.name, entity.label, lcid)
    yield from _one(f"{entity.name}{COLLECTION}", entity.collection_label, lcid)
    for attribute in entity.attributes:
        if attribute.is_hidden:
            continue
        name = f"{entity.name}.{attribute.name}"
        yield from _one(name, attribute.label, lcid)
        for option in attribute.option_set.options if attribute.option_set else ():
            yield from _one(f"{name}.{option.value}", option.label, lcid)


def read_labels(root: etree._Element) -> tuple[int, Labels]:
    """Return language and labels of a document. Raises InvalidRequest."""
    text = root.get("LCID", "")
    if local_name(root) != "Language" or not (text.isascii() and text.isdigit() and len(text) < 6):
        raise InvalidRequest("Expected a Language element with the attribute LCID.", "Language")
    return int(text), {
        item.get("Name", ""): _text(item)
        for item in children(root)
        if local_name(item) == "DisplayName"
    }


def _text(item: etree._Element) -> str:
    text = item.text or ""
    if len(text) > LONGEST:
        raise InvalidRequest(
            f"The DisplayName of '{item.get('Name', '')[:80]}' is longer than {LONGEST} "
            "characters.",
            "DisplayName",
        )
    return text


def _one(name: str, label: Label, lcid: int) -> Iterator[tuple[str, str]]:
    text = dict(label.texts).get(lcid)
    if text:
        yield name, text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
