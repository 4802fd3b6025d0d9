"""`$filter` on metadata: a test on one JSON document (primitives, enums, `X/Value`)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from odata_query import ast

from organizations.dynamics.errors import bad_request
from organizations.query.odata_syntax import name_of, parse, path_of

Test = Callable[[Mapping[str, Any]], bool]
_COMPARATORS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def compile_filter(text: str, aliases: Mapping[str, str]) -> Test:
    """Return the test of a filter. Raises InvalidRequest or WebApiError 400."""
    return _test(parse(text, aliases))


def _test(node: Any) -> Test:
    if isinstance(node, ast.BoolOp):
        left, right = _test(node.left), _test(node.right)
        if isinstance(node.op, ast.And):
            return lambda document: left(document) and right(document)
        return lambda document: left(document) or right(document)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _test(node.operand)
        return lambda document: not inner(document)
    if isinstance(node, ast.Compare):
        return _compared(node)
    if isinstance(node, ast.Call) and name_of(node.func) in _TEXTS:
        return _called(node)
    raise _unsupported(node)


def _compared(node: ast.Compare) -> Test:
    read, wanted = _reader(node.left), _literal(node.right)
    if isinstance(node.comparator, ast.In):
        known = [_folded(item) for item in wanted]
        return lambda document: _folded(read(document)) in known
    compare = _COMPARATORS[type(node.comparator)]
    equality = isinstance(node.comparator, ast.Eq | ast.NotEq)

    def test(document: Mapping[str, Any]) -> bool:
        value = _folded(read(document))
        comparable = value is not None and type(value) is type(_folded(wanted))
        return bool((equality or comparable) and compare(value, _folded(wanted)))

    return test


def _called(node: ast.Call) -> Test:
    read, part = _reader(node.args[0]), str(_literal(node.args[1])).casefold()
    compare = _TEXTS[name_of(node.func)]
    return lambda document: compare(str(read(document) or "").casefold(), part)


def _reader(node: Any) -> Callable[[Mapping[str, Any]], Any]:
    path = path_of(node)
    if path is None:
        raise _unsupported(node)

    def read(document: Any) -> Any:
        for name in path:
            if not isinstance(document, Mapping) or name not in document:
                raise bad_request(f"Could not find a property named '{name}'.", "0x80060888")
            document = document[name]
        return document

    return read


def _literal(node: Any) -> Any:
    if isinstance(node, ast.GUID | ast.String):
        return node.val
    if isinstance(node, ast.Integer | ast.Float | ast.Boolean | ast.Null):
        return node.py_val
    if isinstance(node, ast.List):
        return [_literal(item) for item in node.val]
    if isinstance(node, ast.DateTime | ast.Date):
        return node.val
    raise _unsupported(node)


def _folded(value: Any) -> Any:
    """Return a value as it is compared: texts without regard to letter case."""
    return value.casefold() if isinstance(value, str) else value


def _unsupported(node: object) -> Exception:
    return bad_request(
        f"The filter holds an expression that is not supported: {type(node).__name__}."
    )
