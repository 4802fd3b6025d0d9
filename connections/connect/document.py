"""ConnectRequest in XML, as the same plain document that its JSON form is.

Element names are the published ones; their order is free, unknown elements are ignored. Where
`Entities`, `SyncFiltersXml` and `WriteOffline` stand and how they are laid out is not published
(assumed): under `ConnectRequest` or inside `SyncSetup`, in any of the forms read here. `ClientUrl`
is an addition of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from organizations.errors import InvalidRequest

ROOT = "ConnectRequest"
_LEAVES = ("ProviderID", "Url", "UserName", "Password")
_PERSON = (
    "Email",
    "FirstName",
    "LastName",
    "Company",
    "JobTitle",
    "Phone",
    "Country",
    "RegistrationKey",
)


def document(root: etree._Element) -> dict[str, Any]:
    """Return the request as nested dictionaries with the element names as keys.

    Raises InvalidRequest naming the element.
    """
    if _name(root) != ROOT:
        raise InvalidRequest(
            f"The document element is '{_name(root)}'; it must be '{ROOT}'.", element=_name(root)
        )
    setup = _only(root, "SyncSetup")
    result: dict[str, Any] = {}
    if setup is not None:
        result["SyncSetup"] = _setup(setup)
    for name, read in _EITHER.items():
        found = _either(root, setup, name)
        if found is not None:
            result[name] = read(found)
    return result


def _setup(setup: etree._Element) -> dict[str, Any]:
    result: dict[str, Any] = _leaves(setup, _LEAVES)
    person = _only(setup, "RegistrationInfo")
    if person is not None:
        result["RegistrationInfo"] = _leaves(person, _PERSON)
    return result


def _leaves(parent: etree._Element, names: tuple[str, ...]) -> dict[str, Any]:
    found = ((name, _only(parent, name)) for name in names)
    return {name: _leaf(element) for name, element in found if element is not None}


def _leaf(element: etree._Element) -> str:
    if len(element):
        raise InvalidRequest(
            f"'{_name(element)}' must hold text, but it holds elements.", element=_name(element)
        )
    return (element.text or "").strip() if _name(element) != "Password" else element.text or ""


def _entities(element: etree._Element) -> Any:
    children = list(_children(element))
    if not children:
        return (element.text or "").strip()
    return [_entity(child) for child in children]


def _entity(element: etree._Element) -> dict[str, Any]:
    if _name(element) == "string":
        return {"Name": _leaf(element)}
    if _name(element) != "Entity":
        raise InvalidRequest(
            f"'Entities' holds '{_name(element)}'; it takes 'Entity' or 'string' elements.",
            element="Entities",
        )
    choice: dict[str, Any] = {"Name": element.get("Name") or _leaf(element)}
    given = {name: element.get(name) for name in ("SyncDeletion", "WriteOffline", "Names")}
    return choice | {name: value for name, value in given.items() if value is not None}


def _filters(element: etree._Element) -> str:
    children = list(_children(element))
    if not children:
        return (element.text or "").strip()
    if len(children) > 1:
        raise InvalidRequest(
            "'SyncFiltersXml' must hold one 'fetchcollection'.", element="SyncFiltersXml"
        )
    return etree.tostring(children[0], encoding="unicode", with_tail=False)


_EITHER = {
    "Entities": _entities,
    "SyncFiltersXml": _filters,
    "WriteOffline": _leaf,
    "ClientUrl": _leaf,
}
"""Elements that may stand in either place, and how each is read."""


def _either(root: etree._Element, setup: etree._Element | None, name: str) -> etree._Element | None:
    inside = None if setup is None else _only(setup, name)
    outside = _only(root, name)
    if inside is not None and outside is not None:
        raise _twice(name)
    return outside if inside is None else inside


def _only(parent: etree._Element, name: str) -> etree._Element | None:
    found = [child for child in _children(parent) if _name(child) == name]
    if len(found) > 1:
        raise _twice(name)
    return found[0] if found else None


def _twice(name: str) -> InvalidRequest:
    return InvalidRequest(f"'{name}' is given more than once.", element=name)


def _children(element: etree._Element) -> Iterator[etree._Element]:
    return (child for child in element if isinstance(child.tag, str))


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
