"""Printing and reading the XML of the REST services.

Printed as text: an answer holds thousands of small elements, and a tree of them costs ten times
as much. Names of attributes are XML names already; aliases are made so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape as escaped
from xml.sax.saxutils import quoteattr

from lxml import etree

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
EXECUTE = "http://schemas.resco.net/XRM/Execute"
METADATA = "http://schemas.resco.net/XRM/MetadataService"
_SPECIAL = re.compile("[&<>\r]")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")


def escape(text: str) -> str:
    """Return text as XML holds it; a carriage return that is not escaped becomes a line feed."""
    return escaped(text, {"\r": "&#13;"}) if _SPECIAL.search(text) else text


def element(name: str, text: str) -> str:
    """Return an element with text; empty where there is none."""
    return f"<{name}>{escape(text)}</{name}>" if text else f"<{name} />"


def attributes(**values: str | None) -> str:
    """Return XML attributes with a blank before each; those without a value are left out."""
    given = ((name, value) for name, value in values.items() if value is not None)
    return "".join(f" {name}={quoteattr(value)}" for name, value in given)


def element_name(name: str) -> str:
    """Return a name that an element can have: aliases may hold anything."""
    safe = _NOT_IN_NAMES.sub("_", name)
    return safe if safe[:1].isalpha() or safe[:1] == "_" else f"_{safe}"


def local_name(found: etree._Element) -> str:
    """Return the name of an element without its namespace."""
    return etree.QName(found).localname


def children(parent: etree._Element) -> Iterator[etree._Element]:
    """Yield the child elements."""
    return parent.iterchildren(etree.Element)


def child_text(parent: etree._Element, name: str) -> str:
    """Return the text of the first child of that name, '' where there is none."""
    found = (child for child in children(parent) if local_name(child) == name)
    first = next(found, None)
    return "" if first is None else (first.text or "").strip()
