"""OData expressions as a syntax tree: odata-query's parser, told of what Dataverse adds.

Dataverse writes lists in brackets (`PropertyValues=['a',"b"]`), enum members with their type
(`Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'`) and takes parameter aliases (`@p1`); none of
the three is in the parser's grammar, and it takes the first letters of names such as
`allowedit` for a keyword. Text outside quotes is rewritten before it is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

from organizations.errors import InvalidRequest

MAX_LENGTH = 200_000
MAX_DEPTH = 60
_GUARD = "__guarded_"
"""Put before a name that begins like a keyword, and taken off again."""
_QUOTED = r"'(?:[^']|'')*'"
_JSON_TEXT = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(
    rf"""(?P<enum>[A-Za-z_][\w.]*\.[A-Za-z_]\w*)(?={_QUOTED})
    |(?P<text>{_QUOTED})
    |\[(?P<list>(?:{_QUOTED}|{_JSON_TEXT}|[^\[\]'"])*)\]
    |(?P<alias>@[A-Za-z_]\w*)
    |(?P<keyword>(?<![\w.])(?=(?:any|all|null|true|false)\w))""",
    re.VERBOSE | re.IGNORECASE,
)
_ITEM = re.compile(rf"\s*({_QUOTED}|{_JSON_TEXT}|[^,'\"]*[^,'\"\s])\s*(?:,|\Z)")
_TEXT = re.compile(_QUOTED)


def parse(text: str, aliases: Mapping[str, str] | None = None) -> Any:
    """Return the syntax tree of an expression (nodes of `odata_query.ast`).

    `aliases` are the values of parameter aliases by name, `@` included. Raises InvalidRequest.
    """
    if not text.strip():
        raise InvalidRequest("The filter is empty.", "$filter")
    if len(text) > MAX_LENGTH:
        raise InvalidRequest(f"The filter is longer than {MAX_LENGTH} characters.", "$filter")
    if _depth(text) > MAX_DEPTH:
        raise InvalidRequest(f"The filter nests deeper than {MAX_DEPTH} levels.", "$filter")
    rewritten = rewrite(text.strip(), aliases or {})
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(rewritten))
    except (ODataException, AttributeError, NotImplementedError) as error:
        # The parser of 0.10 fails with AttributeError on three named parameters.
        raise InvalidRequest(f"Syntax error in '{text[:200]}': {error}", "$filter") from error
    return tree


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in _TEXT.sub("", text):
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def rewrite(text: str, aliases: Mapping[str, str]) -> str:
    """Return the expression in the words of the parser's grammar."""

    def replaced(found: re.Match[str]) -> str:
        if found.lastgroup == "enum":
            return ""
        if found.lastgroup == "list":
            return _listed(found["list"])
        if found.lastgroup == "alias" and found["alias"] in aliases:
            return rewrite(aliases[found["alias"]], {})
        return _GUARD if found.lastgroup == "keyword" else found.group()

    return _TOKEN.sub(replaced, text)


def _listed(text: str) -> str:
    items = [_quoted(found.group(1)) for found in _ITEM.finditer(text)]
    if not items:
        raise InvalidRequest("A list of values is empty.", "$filter")
    return f"({','.join(items)}{',' if len(items) == 1 else ''})"


def _quoted(item: str) -> str:
    if not item.startswith('"'):
        return item
    inner = re.sub(r"\\(.)", r"\1", item[1:-1]).replace("'", "''")
    return f"'{inner}'"


def name_of(node: ast.Identifier) -> str:
    """Return an identifier as it was written."""
    return ".".join((*node.namespace, node.name)).replace(_GUARD, "")


def path_of(node: object) -> tuple[str, ...] | None:
    """Return the names of a path such as `primarycontactid/fullname`; None for anything else."""
    if isinstance(node, ast.Identifier):
        return (name_of(node),)
    if isinstance(node, ast.Attribute):
        owner = path_of(node.owner)
        return None if owner is None else (*owner, str(node.attr).replace(_GUARD, ""))
    return None
