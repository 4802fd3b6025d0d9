"""The one hardened XML parser of queries: no document type, no entities, no network, limits."""

from __future__ import annotations

from lxml import etree

from organizations.errors import InvalidRequest

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64


def parse(text: str | bytes, name: str) -> etree._Element:
    """Return the root element of a document; comments and instructions are left out.

    Raises InvalidRequest that says what is wrong with the document called `name`.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"{name} is larger than {MAX_BYTES // 1024} KiB.", name)
    try:
        root = etree.fromstring(data, _parser(isinstance(text, str)))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidRequest(f"{name} is not well-formed XML: {error}.", name) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise InvalidRequest(f"{name} has a document type declaration. Remove it.", name)
    check_depth(root, name)
    return root


def check_depth(root: etree._Element, name: str) -> None:
    """Raise InvalidRequest when elements are nested deeper than any query needs."""
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise InvalidRequest(f"{name} is nested more than {MAX_DEPTH} deep.", name)


def _parser(is_text: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8" if is_text else None,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
