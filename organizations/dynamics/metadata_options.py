"""`$select`, `$filter` and nested `$expand` of metadata, and applying them to documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from organizations.dynamics.errors import UNKNOWN_DEFINITION, bad_request
from organizations.dynamics.metadata_filter import Test, compile_filter

Document = dict[str, Any]
_ALWAYS = ("@odata.type", "MetadataId")
_ITEM = re.compile(r"\s*([A-Za-z_]\w*)\s*")


@dataclass(frozen=True, slots=True)
class Options:
    """What is shown of documents of one kind. `select` None means everything."""

    select: tuple[str, ...] | None = None
    test: Test | None = None
    expand: Mapping[str, Options] = field(default_factory=dict)


def read(options: Mapping[str, str], aliases: Mapping[str, str]) -> Options:
    """Return the meaning of query options. Raises WebApiError 400."""
    for name in ("$orderby", "$top", "$skip"):
        if name in options:
            raise bad_request(
                f"The query parameter {name} is not supported on metadata.", UNKNOWN_DEFINITION
            )
    select, text = options.get("$select"), options.get("$filter")
    return Options(
        select=tuple(_names(select)) if select else None,
        test=compile_filter(text, aliases) if text else None,
        expand=_expand(options.get("$expand", ""), aliases),
    )


def _names(select: str) -> Iterator[str]:
    return (name.strip() for name in select.split(",") if name.strip())


def _expand(text: str, aliases: Mapping[str, str]) -> dict[str, Options]:
    found: dict[str, Options] = {}
    for part in _split(text, ","):
        name = _ITEM.match(part)
        if name is None:
            raise bad_request(f"Syntax error in $expand: '{part[:80]}'.", UNKNOWN_DEFINITION)
        inner = part[name.end() :].strip()
        if inner and not (inner.startswith("(") and inner.endswith(")")):
            raise bad_request(f"Syntax error in $expand: '{part[:80]}'.", UNKNOWN_DEFINITION)
        pairs = (item.partition("=") for item in _split(inner[1:-1], ";"))
        found[name[1]] = read({key.strip(): value for key, _, value in pairs}, aliases)
    return found


def _split(text: str, separator: str) -> Iterator[str]:
    """Split at separators that stand neither in quotes nor in brackets."""
    depth, quoted, part = 0, False, ""
    for character in text:
        quoted ^= character == "'"
        if not quoted:
            depth += (character in "([") - (character in ")]")
        if character == separator and not quoted and depth == 0:
            yield part
            part = ""
        else:
            part += character
    if part.strip():
        yield part


def shown(document: Document, options: Options, kind: str) -> Document:
    """Return what of a document is shown. `kind` is its type, for messages.

    Members that are navigations must be taken out of the document before, and put in when
    expanded.
    """
    if options.select is None:
        return document
    for name in options.select:
        if name not in document and name not in options.expand:
            raise bad_request(
                f"Could not find a property named '{name}' on type "
                f"'Microsoft.Dynamics.CRM.{kind}'.",
                UNKNOWN_DEFINITION,
            )
    kept = {*options.select, *options.expand, *_ALWAYS}
    return {name: value for name, value in document.items() if name in kept}


def passing(documents: Iterable[Document], options: Options) -> Iterator[Document]:
    """Yield the documents inside `$filter`."""
    test = options.test
    return (item for item in documents if test is None or test(item))


def in_languages(document: Any, lcids: frozenset[int]) -> Any:
    """Return a document whose labels hold only texts of these languages."""
    if isinstance(document, list):
        return [in_languages(item, lcids) for item in document]
    if not isinstance(document, dict):
        return document
    if "LocalizedLabels" in document:
        texts = [i for i in document["LocalizedLabels"] if i["LanguageCode"] in lcids]
        return document | {"LocalizedLabels": texts}
    return {name: in_languages(value, lcids) for name, value in document.items()}
