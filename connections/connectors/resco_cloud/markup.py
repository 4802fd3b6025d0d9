"""XML of the services: parsed without entities, document types and network; names are local.

Roots and namespaces of answers are not documented, so neither is looked at (resco.md §8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

_DIGITS = re.compile(r"\d+")


class NotXml(ValueError):
    """The answer is no XML, or XML of a kind that no service sends."""


def parse(body: bytes) -> etree._Element:
    """Return the root element. Raises NotXml. The session bounds the size before."""
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=True,  # a document in a record is one text of many megabytes
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXml(str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXml("It has a document type declaration.")
    return root


def name_of(element: etree._Element) -> str:
    """Return the name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(parent: etree._Element, name: str = "") -> Iterator[etree._Element]:
    """Yield the child elements, only those of a name if one is given."""
    for child in parent.iterchildren(etree.Element):
        if not name or name_of(child) == name:
            yield child


def child(parent: etree._Element, name: str) -> etree._Element | None:
    """Return the first child of that name."""
    return next(children(parent, name), None)


def text_of(parent: etree._Element, name: str) -> str:
    """Return the text of the first child of that name, '' where there is none."""
    found = child(parent, name)
    return "" if found is None else (found.text or "").strip()


def number_in(element: etree._Element) -> int | None:
    """Return the first whole number in an answer whose form is not documented (assumed, §8)."""
    found = _DIGITS.search("".join(map(str, element.itertext())))
    return int(found.group()) if found else None


def is_true(text: str) -> bool:
    """Return whether a text means yes: `True`, `true` and `1` do (§1.3)."""
    return text.strip().lower() in ("true", "1")
