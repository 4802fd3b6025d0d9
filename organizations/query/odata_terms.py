"""Values of OData expressions, truths that need no record, and names for what is not done."""

from __future__ import annotations

import re
from typing import Any

from odata_query import ast

from organizations.errors import InvalidRequest, NotOffered
from organizations.query.nodes import Condition, Operator
from organizations.query.odata_syntax import name_of
from organizations.schema import Entity

_FOLDS = {"tolower": str.lower, "toupper": str.upper}
_WILDCARDS = re.compile(r"[%_\[]")


def scalar(node: Any) -> str | int | bool:
    """Return the value of a literal. Raises NotOffered for anything else."""
    if isinstance(node, ast.Boolean | ast.Integer):
        value: int | bool = node.py_val
        return value
    if isinstance(node, ast.String | ast.Float | ast.GUID | ast.Date | ast.DateTime | ast.Time):
        return node.val.lower() if isinstance(node, ast.GUID) else str(node.val)
    raise unsupported(node)


def truth(entity: Entity, value: bool, alias: str = "") -> Condition:
    """Return a condition that every record passes, or none: every record has an id."""
    operator = Operator.NOT_NULL if value else Operator.NULL
    return Condition(entity.primary_id, operator, alias=alias)


def against_null(attribute: str, operator: Operator, alias: str) -> Condition:
    """Return what a comparison with null means. Raises InvalidRequest but for eq and ne."""
    known = {Operator.EQ: Operator.NULL, Operator.NE: Operator.NOT_NULL}
    if operator not in known:
        raise InvalidRequest("null can be compared with eq and ne only.", "$filter")
    return Condition(attribute, known[operator], alias=alias)


def literally(text: str) -> str:
    """Return text in which the wildcards of `like` stand for themselves."""
    return _WILDCARDS.sub(lambda found: f"[{found.group()}]", text)


def folded(node: Any) -> tuple[Any, str]:
    """Return what `tolower` or `toupper` is of, and its name; other nodes as they are, with ''."""
    if isinstance(node, ast.Call) and not node.func.namespace:
        name = name_of(node.func)
        if name in _FOLDS and len(node.args) == 1:
            return node.args[0], name
    return node, ""


def is_reachable(text: str, fold: str) -> bool:
    """Return whether text whose letters were changed by `fold` can be this text."""
    return not fold or _FOLDS[fold](text) == text


def literal_text(node: Any, fold: str) -> str | None:
    """Return the text of a literal, its letters changed by `fold`; None for anything else."""
    if not isinstance(node, ast.String):
        return None
    return _FOLDS[fold](node.val) if fold else str(node.val)


def unsupported(node: object) -> NotOffered:
    """Return the error for an expression that the standard has and that is not done here."""
    return NotOffered(
        f"The filter holds an expression that is not supported: {_told(node)}.", "$filter"
    )


def _told(node: object) -> str:
    if isinstance(node, ast.Call):
        return f"Call of '{name_of(node.func)[:60]}'"
    name = type(node).__name__
    return f"{name}, arithmetic" if isinstance(node, ast.BinOp) else name
