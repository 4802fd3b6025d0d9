"""Attributes of FetchXML elements, read with the tolerance of its makers."""

from __future__ import annotations

from lxml import etree

from organizations.errors import InvalidRequest

_FLAGS = {"true": True, "1": True, "false": False, "0": False, "": False}


def local_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace."""
    return etree.QName(element).localname


def required(element: etree._Element, name: str) -> str:
    """Return an attribute that must be there, or raise InvalidRequest that names it."""
    text = element.get(name, "").strip()
    if not text:
        label = local_name(element)
        raise InvalidRequest(f"{label} needs the attribute '{name}'.", label)
    return text


def flag(element: etree._Element, name: str) -> bool:
    """Return a yes-or-no attribute: true, false, 1 or 0 in any letter case; absent is no."""
    text = element.get(name, "").strip().lower()
    if text not in _FLAGS:
        label = local_name(element)
        raise InvalidRequest(f"{name} of {label} is true or false, not '{text[:40]}'.", label)
    return _FLAGS[text]


def integer(element: etree._Element, name: str, minimum: int) -> int | None:
    """Return a whole-number attribute of at least `minimum`; None if it is absent."""
    text = element.get(name)
    if text is None:
        return None
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= minimum):
        label = local_name(element)
        raise InvalidRequest(
            f"{name} of {label} is a whole number of at least {minimum}, not '{text[:40]}'.", label
        )
    return int(text)
