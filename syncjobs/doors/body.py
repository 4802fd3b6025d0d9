"""Reading the body of a request: bounded in size and depth, XML without entities, DTD, network."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest
from lxml import etree

from syncjobs.doors.fault import Fault

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
_DRAINED = 16 * 1024 * 1024


def read(request: HttpRequest) -> bytes:
    """Return the body; more than 1 MiB is refused (413).

    What is too long is read and thrown away up to 16 MiB, because a server that closes the
    connection on unread bytes makes most clients lose the answer.
    """
    body: bytes = request.read(MAX_BYTES + 1)
    if len(body) <= MAX_BYTES:
        return body
    left = _DRAINED
    while left > 0 and (chunk := request.read(65536)):
        left -= len(chunk)
    raise Fault(
        "The body is longer than 1 MiB. Send less, for example fewer entities or filters.",
        status=413,
        code="RequestTooLarge",
    )


def parse_xml(body: bytes | str) -> etree._Element:
    """Return the root element; comments and processing instructions are left out."""
    raw = body.encode() if isinstance(body, str) else body
    try:
        root = etree.fromstring(raw, _parser())
    except etree.XMLSyntaxError as error:
        raise Fault(
            f"The body is not well-formed XML: {error.msg}. Correct it and send it again.",
            code="MalformedXml",
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Fault(
            "The body has a document type declaration (DOCTYPE), which is not accepted. Remove it.",
            code="DtdNotAccepted",
            detail="DOCTYPE",
        )
    _check_depth(root)
    return root


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object of the body."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Fault(
            f"The body is not valid JSON: {error}. Correct it and send it again.",
            code="MalformedJson",
        ) from error
    if not isinstance(document, dict):
        raise Fault("The body must be a JSON object.", code="MalformedJson")
    return document


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )


def _check_depth(root: etree._Element) -> None:
    depth = 0
    for event, node in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise Fault(
                f"Elements are nested more than {MAX_DEPTH} deep.",
                code="NestedTooDeep",
                detail=str(node.tag),
            )
