"""OData expressions as a syntax tree: odata-query's parser, told of what Dataverse adds.

Dataverse writes lists in brackets (`PropertyValues=['a',"b"]`), enum members with their type
(`Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'`) and takes parameter aliases (`@p1`); none of
the three is in the parser's grammar, and it takes the first letters of names such as
`allowedit` for a keyword. It wants `in (…)` with two items and a blank after `not`. Text outside
quotes is rewritten before it is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from odata_query import ast
from odata_query.exceptions import ODataException, UnknownFunctionException
from odata_query.grammar import ODataLexer, ODataParser

from organizations.errors import InvalidRequest, NotOffered

MAX_LENGTH = 200_000
MAX_DEPTH = 60
MAX_STEPS = 20
"""Names in one path, and `not` or `-` one after another."""
_GUARD = "__guarded_"
"""Put before a name that begins like a keyword, and taken off again."""
_QUOTED = r"'(?:[^']|'')*'"
_JSON_TEXT = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(
    rf"""(?P<enum>[A-Za-z_][\w.]*\.[A-Za-z_]\w*)(?={_QUOTED})
    |(?P<single>(?<![\w.])in\s*\(\s*(?P<only>{_QUOTED}|[^\s'"(),]+)\s*\))
    |(?P<bare>(?<![\w.])not(?=\())
    |(?P<text>{_QUOTED})
    |\[(?P<list>(?:{_QUOTED}|{_JSON_TEXT}|[^\[\]'"])*)\]
    |(?P<alias>(?<!/)@[A-Za-z_]\w*(?![\w.]))
    |(?P<keyword>(?<![\w.])(?=(?:any|all|null|true|false)\w))""",
    re.VERBOSE | re.IGNORECASE,
)
_ITEM = re.compile(rf"\s*({_QUOTED}|{_JSON_TEXT}|[^,'\"]*[^,'\"\s])\s*(?:,|\Z)")
_TEXT = re.compile(_QUOTED)
_REPEATED = re.compile(
    rf"(?<![\w.])(?:[\w.]+/){{{MAX_STEPS},}}|(?:\bnot\s+){{{MAX_STEPS},}}|(?:-\s*){{{MAX_STEPS},}}",
    re.IGNORECASE,
)
_ENDLESS = re.compile(r"[\w.@$]{257}")
"""More than any name or number has; the expressions here take the square of it in time."""
_TYPE = re.compile(r"/([A-Za-z_]\w*\.[\w.]*\w)/")
_ELSEWHERE = re.compile(
    r"""\$(?:it|root|this|count|filter|each|ref)\b | /?@[A-Za-z_][\w.]* | [\[\]{}]
    | (?<=\s)(?:has|divby)(?=\s) | \b(?:cast|isof|case)\( | \bgeo\.\w+
    | \b(?:geography|geometry|binary|duration|[A-Za-z_]\w*(?:\.\w+)+)(?=')
    | [A-Za-z_]\w*(?:\.\w+)+(?=\() | /(?!(?:any|all)\()[A-Za-z_]\w*(?=\()
    | \b[A-Za-z_]\w*(?=\(\d) | \b\w+(?=\(\s+\)) | \bin\s*\(\s*\) | /\w+\.\w+""",
    re.VERBOSE,
)
"""What the standard's grammar has and the parser's has not."""


def parse(text: str, aliases: Mapping[str, str] | None = None, *, has_enums: bool = True) -> Any:
    """Return the syntax tree of an expression (nodes of `odata_query.ast`).

    `aliases` are the values of parameter aliases by name, `@` included. Without `has_enums`
    members of enumerations are none of the service. Raises InvalidRequest, NotOffered.
    """
    if not text.strip():
        raise InvalidRequest("The filter is empty.", "$filter")
    if len(text) > MAX_LENGTH:
        raise InvalidRequest(f"The filter is longer than {MAX_LENGTH} characters.", "$filter")
    _check_aliases(text, aliases or {})
    if any(_ENDLESS.search(_TEXT.sub("''", part)) for part in (text, *(aliases or {}).values())):
        raise InvalidRequest("The filter has a name or number of more than 256 signs.", "$filter")
    rewritten = rewrite(text.strip(), aliases or {}, has_enums=has_enums)
    if _depth(rewritten) > MAX_DEPTH:
        raise InvalidRequest(f"The filter nests deeper than {MAX_DEPTH} levels.", "$filter")
    if _REPEATED.search(_TEXT.sub("''", rewritten)):
        raise InvalidRequest(
            f"The filter has a path, or a row of not, of more than {MAX_STEPS} steps.", "$filter"
        )
    if found := _TYPE.search(_TEXT.sub("''", rewritten)):
        raise NotOffered(f"The type '{found[1]}' in a path is not supported.", "$filter")
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(rewritten))
    except UnknownFunctionException as error:
        raise NotOffered(
            f"The filter uses the function '{error.function_name[:60]}', which is not supported.",
            "$filter",
        ) from error
    except (ODataException, AttributeError, NotImplementedError) as error:
        # The parser of 0.10 fails with AttributeError on three named parameters.
        raise _unreadable(rewritten, error) from error
    return tree


def _check_aliases(text: str, aliases: Mapping[str, str]) -> None:
    """Raise InvalidRequest where aliases would make a filter too long."""
    longest = max(map(len, aliases.values()), default=0)
    if text.count("@") * longest + len(text) > MAX_LENGTH:
        raise InvalidRequest(
            f"The filter with its aliases is longer than {MAX_LENGTH} characters.", "$filter"
        )


def _unreadable(text: str, error: Exception) -> InvalidRequest:
    """Return the error for text that the parser refuses: perhaps it is only too rich for it."""
    found = _ELSEWHERE.search(_TEXT.sub("''", text))
    if found:
        return NotOffered(
            f"The filter uses '{found.group().strip()[:60]}', which is not supported.", "$filter"
        )
    return InvalidRequest(f"Syntax error in '{text[:200]}': {str(error)[:200]}", "$filter")


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in _TEXT.sub("", text):
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def rewrite(text: str, aliases: Mapping[str, str], *, has_enums: bool = True) -> str:
    """Return the expression in the words of the parser's grammar."""

    def replaced(found: re.Match[str]) -> str:
        if found.lastgroup == "enum":
            return "" if has_enums else found.group()
        if found.lastgroup == "list":
            return _listed(found["list"])
        if found.lastgroup == "alias":
            return _value(found["alias"], aliases, has_enums=has_enums)
        if found.lastgroup == "single":
            return f"in ({found['only']},)"
        if found.lastgroup == "bare":
            return "not "
        return _GUARD if found.lastgroup == "keyword" else found.group()

    return _TOKEN.sub(replaced, text)


def _value(alias: str, aliases: Mapping[str, str], *, has_enums: bool) -> str:
    if alias not in aliases:
        raise InvalidRequest(f"The parameter alias '{alias[:60]}' has no value.", alias[:60])
    return rewrite(aliases[alias], {}, has_enums=has_enums)


def _listed(text: str) -> str:
    items = [_quoted(found.group(1)) for found in _ITEM.finditer(text)]
    if not items:
        raise NotOffered("A list of values is empty.", "$filter")
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
