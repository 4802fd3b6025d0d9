"""OData `$filter` and `$orderby` as a query: groups of conditions, and links for their paths.

How properties and navigations are called is the service's business: a `Names` tells which
attribute or link is meant. Paths through single-valued navigations become outer links, `any` and
`all` over collections become existences; `not` is carried down to the conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from odata_query import ast

from organizations.errors import InvalidRequest, NotOffered
from organizations.query.nodes import (
    ALL,
    Condition,
    Exists,
    Group,
    Link,
    LinkType,
    Logic,
    Member,
    Operator,
    Order,
)
from organizations.query.odata_functions import operator_of
from organizations.query.odata_negation import negated
from organizations.query.odata_syntax import name_of, parse, path_of
from organizations.query.odata_terms import (
    against_null,
    folded,
    is_reachable,
    literal_text,
    literally,
    scalar,
    truth,
    unsupported,
)
from organizations.schema import AttributeType, Entity

_COMPARATORS = {
    ast.Eq: Operator.EQ,
    ast.NotEq: Operator.NE,
    ast.Gt: Operator.GT,
    ast.GtE: Operator.GE,
    ast.Lt: Operator.LT,
    ast.LtE: Operator.LE,
}
_MIRRORED = {
    Operator.GT: Operator.LT,
    Operator.GE: Operator.LE,
    Operator.LT: Operator.GT,
    Operator.LE: Operator.GE,
}
_NO_NUMBERS = frozenset({("INF",), ("NaN",)})
_TEXT_FUNCTIONS = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}


class Names(Protocol):
    """What a service calls the parts of its entities."""

    def attribute(self, entity: Entity, name: str) -> str:
        """Return the attribute behind a property. Raises InvalidRequest for an unknown one."""

    def function_attribute(self, entity: Entity, name: str) -> str:
        """Return the attribute that a query function names. Raises InvalidRequest."""

    def link(self, entity: Entity, name: str, alias: str) -> tuple[Link, Entity]:
        """Return the link of a navigation and its target entity, whose own link has `alias`.

        Of an N:N navigation the link of the target is nested in that of the intersect. Raises
        InvalidRequest for an unknown navigation.
        """


@dataclass(frozen=True, slots=True)
class Filter:
    """What `$filter` means: conditions, and the links their aliases name.

    Each link finds one record at most, so that no result comes twice.
    """

    group: Group = ALL
    links: tuple[Link, ...] = ()


def read_filter(
    text: str,
    entity: Entity,
    names: Names,
    aliases: Mapping[str, str] | None = None,
    *,
    is_standard: bool = False,
) -> Filter:
    """Return the meaning of a filter on `entity`.

    With `is_standard` what Dataverse understands in its own way means what the standard says: no
    wildcards in text, null equal to null, nothing less or greater than null. Raises
    InvalidRequest, and NotOffered for what the standard has and is not done here.
    """
    tree = parse(text, aliases, has_enums=not is_standard)
    return _Reader(names, is_standard).whole(tree, _Scope(entity))


def read_order(text: str, entity: Entity, names: Names) -> tuple[Order, ...]:
    """Return the sort keys of `$orderby`. Raises InvalidRequest."""
    return tuple(_order(part.split(), entity, names, part) for part in text.split(","))


@dataclass(slots=True)
class _Step:
    """A link on the way of a path, and those that go on from it."""

    link: Link
    steps: dict[str, _Step] = field(default_factory=dict)

    def whole(self) -> Link:
        """Return the link, optional, with all that hangs on it."""
        inner = tuple(step.whole() for step in self.steps.values())
        return replace(self.link, type=LinkType.OUTER, links=inner)


def _order(words: list[str], entity: Entity, names: Names, part: str) -> Order:
    name, *direction = words or [""]
    if not name or [word.lower() for word in direction] not in ([], ["asc"], ["desc"]):
        raise InvalidRequest(
            f"Syntax error in '{part.strip()}': a property name, then asc or desc.", "$orderby"
        )
    return Order(names.attribute(entity, name), direction != [] and direction[0].lower() == "desc")


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where names are looked up: the entity, the links that lead to it, the lambda variable."""

    entity: Entity
    path: tuple[str, ...] = ()
    alias: str = ""
    variable: str = ""


@dataclass(slots=True)
class _Reader:
    names: Names
    is_standard: bool = False
    steps: dict[str, _Step] = field(default_factory=dict)
    count: int = 0

    def whole(self, node: Any, scope: _Scope) -> Filter:
        """Return the meaning of a whole tree with its links."""
        found = self.read(node, scope)
        return Filter(_grouped(found), tuple(step.whole() for step in self.steps.values()))

    def read(self, node: Any, scope: _Scope) -> Member:
        """Return the conditions of one node of the tree."""
        handlers: dict[type, Callable[[Any, _Scope], Member]] = {
            ast.BoolOp: self._logic,
            ast.UnaryOp: self._not,
            ast.Compare: self._compare,
            ast.Call: self._call,
            ast.CollectionLambda: self._lambda,
            ast.Identifier: self._flag,
            ast.Attribute: self._flag,
            ast.Boolean: lambda item, place: truth(place.entity, item.py_val, place.alias),
        }
        if type(node) not in handlers:
            raise unsupported(node)
        return handlers[type(node)](node, scope)

    def _logic(self, node: ast.BoolOp, scope: _Scope) -> Group:
        kind = type(node.op)
        operands: list[Any] = []
        current: Any = node
        # A chain leans to the left; walking it keeps long ones off the call stack.
        while isinstance(current, ast.BoolOp) and isinstance(current.op, kind):
            operands.append(current.right)
            current = current.left
        operands.append(current)
        logic = Logic.AND if kind is ast.And else Logic.OR
        return Group(logic, tuple(self.read(item, scope) for item in reversed(operands)))

    def _not(self, node: ast.UnaryOp, scope: _Scope) -> Member:
        if not isinstance(node.op, ast.Not):
            raise unsupported(node)
        return negated(self.read(node.operand, scope))

    def _flag(self, node: Any, scope: _Scope) -> Condition:
        path = path_of(node) or ()
        *steps, last = self._stripped(path, scope)
        owner = self._follow(tuple(steps), scope)
        name = self.names.attribute(owner.entity, last)
        attribute = owner.entity.attribute(name)
        if attribute is None or attribute.type is not AttributeType.BOOLEAN:
            raise InvalidRequest(f"'{last}' is not true or false: compare it.", "$filter")
        return Condition(name, Operator.EQ, (True,), owner.alias)

    def _compare(self, node: ast.Compare, scope: _Scope) -> Member:
        left: Any = node.left
        right: Any = node.right
        if isinstance(node.comparator, ast.In):
            attribute, alias = self._resolve(left, scope)
            return Condition(attribute, Operator.IN, tuple(map(scalar, right.val)), alias)
        operator = _COMPARATORS[type(node.comparator)]
        if self._is_turned(left, right):
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        if isinstance(right, ast.Boolean) and path_of(left) is None:
            return self._truth(left, operator, right.py_val, scope)
        inner, fold = self._without_fold(left)
        if fold:
            return self._folded(inner, fold, operator, right, scope)
        attribute, alias = self._resolve(left, scope)
        if isinstance(right, ast.Null):
            return self._null(attribute, operator, alias, scope)
        if path_of(right) is not None:
            return self._columns(Condition(attribute, operator, alias=alias), right, scope)
        return Condition(attribute, operator, (scalar(right),), alias)

    def _without_fold(self, node: Any) -> tuple[Any, str]:
        """Return what a change of letters is of, and its name; Dataverse knows no such change."""
        return folded(node) if self.is_standard else (node, "")

    def _is_turned(self, left: Any, right: Any) -> bool:
        """Return whether the value stands to the left of what is compared with it."""
        if isinstance(left, ast.Boolean):
            return not isinstance(right, ast.Boolean)
        return not self._names_something(left) and self._names_something(right)

    def _names_something(self, node: Any) -> bool:
        return path_of(self._without_fold(node)[0]) is not None

    def _truth(self, node: Any, operator: Operator, value: bool, scope: _Scope) -> Member:
        """Return what `contains(…) eq true` and its like mean."""
        if operator not in (Operator.EQ, Operator.NE):
            raise unsupported(node)
        found = self.read(node, scope)
        return found if value is (operator is Operator.EQ) else negated(found)

    def _null(self, attribute: str, operator: Operator, alias: str, scope: _Scope) -> Condition:
        if self.is_standard and operator in _MIRRORED:
            return truth(scope.entity, False)
        return against_null(attribute, operator, alias)

    def _folded(
        self, node: Any, fold: str, operator: Operator, right: Any, scope: _Scope
    ) -> Condition:
        """Compare letters in one case: letters are never told apart, so only the value can fail."""
        text = literal_text(*self._without_fold(right))
        if text is None or operator not in (Operator.EQ, Operator.NE):
            raise unsupported(right if text is None else node)
        attribute, alias = self._resolve(node, scope)
        if not is_reachable(text, fold):
            return truth(scope.entity, operator is Operator.NE)
        return Condition(attribute, operator, (text,), alias)

    def _columns(self, condition: Condition, right: Any, scope: _Scope) -> Member:
        attribute, alias = self._resolve(right, scope)
        if alias != condition.alias:
            raise NotOffered(
                "Two properties can be compared only when both belong to the same record.",
                "$filter",
            )
        compared = replace(condition, value_of=attribute)
        if not self.is_standard or condition.operator not in (Operator.EQ, Operator.NE):
            return compared
        names = (condition.attribute, attribute)
        both = Group(
            Logic.AND, tuple(Condition(name, Operator.NULL, alias=alias) for name in names)
        )
        equal = Group(Logic.OR, (replace(compared, operator=Operator.EQ), both))
        return equal if condition.operator is Operator.EQ else replace(equal, is_negative=True)

    def _call(self, node: ast.Call, scope: _Scope) -> Condition:
        name = name_of(node.func).rpartition(".")[2]
        if name in _TEXT_FUNCTIONS and not node.func.namespace:
            return self._text(name, node, scope)
        operator = operator_of(name, tuple(node.func.namespace))
        if operator is None:
            raise NotOffered(f"The function '{name[:60]}' is not supported.", "$filter")
        return self._function(operator, node, scope)

    def _text(self, name: str, node: ast.Call, scope: _Scope) -> Condition:
        inner, fold = self._without_fold(node.args[0])
        attribute, alias = self._resolve(inner, scope)
        text = literal_text(*self._without_fold(node.args[1]))
        if text is None:
            raise unsupported(node)
        if not is_reachable(text, fold):
            return truth(scope.entity, False)
        value = _TEXT_FUNCTIONS[name].format(literally(text) if self.is_standard else text)
        return Condition(attribute, Operator.LIKE, (value,), alias)

    def _function(self, operator: Operator, node: ast.Call, scope: _Scope) -> Condition:
        given = {name_of(i.name): i.param for i in node.args if isinstance(i, ast.NamedParam)}
        name = given.get("PropertyName")
        if not isinstance(name, ast.String):
            raise InvalidRequest("A query function needs PropertyName='…'.", "$filter")
        path = tuple(name.val.split("/"))
        if scope.variable and path[0] != scope.variable:
            path = (scope.variable, *path)
        *steps, last = self._stripped(path, scope)
        owner = self._follow(tuple(steps), scope)
        attribute, alias = self.names.function_attribute(owner.entity, last), owner.alias
        listed = given.get("PropertyValues")
        if listed is not None and not isinstance(listed, ast.List):
            raise InvalidRequest("PropertyValues must be a list in brackets.", "$filter")
        items = listed.val if listed else [given[k] for k in _VALUES if k in given]
        return Condition(attribute, operator, tuple(map(scalar, items)), alias)

    def _lambda(self, node: ast.CollectionLambda, scope: _Scope) -> Member:
        path = path_of(node.owner)
        if path is None:
            raise unsupported(node)
        *steps, last = self._stripped(path, scope)
        start = self._follow(tuple(steps), scope)
        link, entity = self.names.link(start.entity, last, _ITEM)
        if link.from_attribute == entity.primary_id:
            raise InvalidRequest(f"'{last}' leads to one record. Write {last}/….", "$filter")
        is_all = isinstance(node.operator, ast.All)
        if node.lambda_ is None:
            return Exists(link, alias=start.alias)
        inner = _Scope(entity, variable=name_of(node.lambda_.identifier))
        reader = _Reader(self.names, self.is_standard)
        found = reader.whole(node.lambda_.expression, inner)
        # All members pass if none passes the opposite.
        group = _grouped(negated(found.group)) if is_all else found.group
        link = _at_the_end(link, lambda end: replace(end, filter=group, links=found.links))
        return Exists(link, is_negative=is_all, alias=start.alias)

    def _resolve(self, node: Any, scope: _Scope) -> tuple[str, str]:
        path = path_of(node)
        if path is None:
            raise unsupported(node)
        return self._named(path, scope)

    def _named(self, path: tuple[str, ...], scope: _Scope) -> tuple[str, str]:
        if path in _NO_NUMBERS:
            raise NotOffered(f"The number {path[0]} is not supported.", "$filter")
        *steps, last = self._stripped(path, scope)
        owner = self._follow(tuple(steps), scope)
        return self.names.attribute(owner.entity, last), owner.alias

    def _stripped(self, path: tuple[str, ...], scope: _Scope) -> tuple[str, ...]:
        if not scope.variable:
            return path
        if path[0] != scope.variable or len(path) == 1:
            raise InvalidRequest(
                f"'{'/'.join(path)}' must begin with '{scope.variable}/' inside of "
                f"'{scope.variable}:…'; other records cannot be named there.",
                "$filter",
            )
        return path[1:]

    def _follow(self, steps: tuple[str, ...], scope: _Scope) -> _Scope:
        for step in steps:
            scope = self._step(step, scope)
        return scope

    def _step(self, navigation: str, scope: _Scope) -> _Scope:
        steps = self.steps
        for name in scope.path:
            steps = steps[name].steps
        if navigation not in steps:
            self.count += 1
            link, _ = self.names.link(scope.entity, navigation, f"path{self.count}")
            if link.from_attribute != _target(self.names, scope.entity, navigation).primary_id:
                raise InvalidRequest(
                    f"'{navigation}' is a collection. Use {navigation}/any(…).", "$filter"
                )
            steps[navigation] = _Step(link)
        entity = _target(self.names, scope.entity, navigation)
        alias = steps[navigation].link.alias
        return _Scope(entity, (*scope.path, navigation), alias, scope.variable)


_ITEM = "item"
"""Alias of the records of a lambda; nothing is known of it outside."""


def _target(names: Names, entity: Entity, navigation: str) -> Entity:
    return names.link(entity, navigation, _ITEM)[1]


def _grouped(found: Member) -> Group:
    return found if isinstance(found, Group) else Group(Logic.AND, (found,))


def _at_the_end(link: Link, change: Callable[[Link], Link]) -> Link:
    """Return a link with its innermost one changed: that of the target of an N:N navigation."""
    if not link.links:
        return change(link)
    return replace(link, links=tuple(_at_the_end(inner, change) for inner in link.links))


_VALUES = ("PropertyValue", "PropertyValue1", "PropertyValue2")
