"""What `not` makes of conditions and groups."""

from __future__ import annotations

from dataclasses import replace

from organizations.query.nodes import Condition, Exists, Group, Logic, Member, Operator

_PAIRS = (
    (Operator.EQ, Operator.NE),
    (Operator.LIKE, Operator.NOT_LIKE),
    (Operator.BEGINS_WITH, Operator.NOT_BEGIN_WITH),
    (Operator.ENDS_WITH, Operator.NOT_END_WITH),
    (Operator.IN, Operator.NOT_IN),
    (Operator.BETWEEN, Operator.NOT_BETWEEN),
    (Operator.NULL, Operator.NOT_NULL),
    (Operator.CONTAIN_VALUES, Operator.NOT_CONTAIN_VALUES),
    (Operator.ON, Operator.NOT_ON),
    (Operator.UNDER, Operator.NOT_UNDER),
    (Operator.EQ_USERID, Operator.NE_USERID),
    (Operator.EQ_BUSINESSID, Operator.NE_BUSINESSID),
)
_OPPOSITES = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
_ORDERED = {
    Operator.GT: Operator.LE,
    Operator.LE: Operator.GT,
    Operator.GE: Operator.LT,
    Operator.LT: Operator.GE,
}


def negated(node: Member) -> Member:
    """Return the complement of a member of a filter; it matches nulls where the other did not."""
    if isinstance(node, Exists):
        return replace(node, is_negative=not node.is_negative)
    if isinstance(node, Group):
        if node.is_negative:
            return replace(node, is_negative=False)
        logic = Logic.OR if node.logic is Logic.AND else Logic.AND
        return Group(logic, tuple(negated(item) for item in node.children))
    if node.operator in _OPPOSITES:
        return replace(node, operator=_OPPOSITES[node.operator])
    if node.operator in _ORDERED and not node.value_of:
        opposite = replace(node, operator=_ORDERED[node.operator])
        missing = Condition(node.attribute, Operator.NULL, alias=node.alias)
        return Group(Logic.OR, (opposite, missing))
    return Group(Logic.AND, (node,), is_negative=True)
