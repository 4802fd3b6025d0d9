"""The elements of a write: which attributes, and how state and key are said (resco.md §1.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from connections.connectors.resco_cloud.operations import Operation
from connections.connectors.resco_cloud.shapes import is_writable
from connections.connectors.resco_cloud.values import element_of
from organizations.records import Action, Value
from organizations.schema import Attribute, AttributeType, Entity, ManyToMany

Values = Mapping[str, Value]


@dataclass(slots=True)
class Bodies:
    """Makes operations for records of one entity."""

    entity: Entity
    _attributes: Mapping[str, Attribute] = field(init=False)

    def __post_init__(self) -> None:
        """Find the attributes by name."""
        self._attributes = {item.name: item for item in self.entity.attributes}

    def names(self, values: Values, *, creating: bool) -> tuple[str, ...]:
        """Return the columns that are written as they are; not the state, which follows."""
        return tuple(
            name
            for name in values
            if (item := self._attributes.get(name)) is not None
            and is_writable(item, creating=creating)
            and not self._is_state(item)
        )

    def record(self, action: Action, record_id: str, values: Values) -> Operation:
        """Return the operation on a record. Raises InvalidValue."""
        key = self.entity.primary_id
        elements = [_plain(key, record_id)]
        if action is not Action.DELETE:
            elements += [
                element_of(attribute, value, target)
                for attribute, (value, target) in self.given(
                    values, creating=action is Action.CREATE
                )
            ]
        return Operation(self.entity.name, action, (key,), tuple(elements))

    def pair(self, action: Action, pair: ManyToMany, ends: tuple[str, str]) -> Operation:
        """Return the operation that makes or removes a pair, by its two lookups."""
        keys = (pair.attribute1, pair.attribute2)
        targets = (pair.entity1, pair.entity2)
        elements = tuple(
            _plain(name, f"{target}:{end}")
            for name, target, end in zip(keys, targets, ends, strict=True)
        )
        return Operation(self.entity.name, action, keys, elements)

    def given(
        self, values: Values, *, creating: bool
    ) -> Iterator[tuple[Attribute, tuple[Value, str]]]:
        """Yield each attribute to write, its value, and the entity that a lookup points to."""
        written = {**values, **self._status(values)}
        for name in self.names(written, creating=creating):
            value = written[name]
            if value is None and creating:
                continue
            attribute = self._attributes[name]
            yield attribute, (value, self._target(attribute, written))

    def _target(self, attribute: Attribute, values: Values) -> str:
        told = values.get(f"{attribute.name}__type")
        return str(told) if told else next(iter(attribute.targets), "")

    def _is_state(self, attribute: Attribute) -> bool:
        return attribute.type is AttributeType.STATE and self._status_attribute() is not None

    def _status_attribute(self) -> Attribute | None:
        kinds = (item for item in self.entity.attributes if item.type is AttributeType.STATUS)
        return next(kinds, None)

    def _status(self, values: Values) -> Values:
        """A state alone is said by the first status of its group, its default (§2.3)."""
        status = self._status_attribute()
        states = [n for n in values if (a := self._attributes.get(n)) and self._is_state(a)]
        if status is None or status.option_set is None or not states:
            return {}
        state = values[states[0]]
        if values.get(status.name) is not None or state is None:
            return {}
        group = (option.value for option in status.option_set.options if option.state == state)
        default = next(group, None)
        return {} if default is None else {status.name: default}


def _plain(name: str, text: str) -> etree._Element:
    made = etree.Element(name)
    made.text = text
    return made
