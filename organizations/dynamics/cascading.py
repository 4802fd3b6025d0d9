"""Deleting a record together with what its relationships say must follow (dataverse.md 2.3).

`Restrict` refuses, `Cascade` deletes the records that point to it, `RemoveLink` empties their
lookups, `NoCascade` leaves them. Pairs always go with either of their records.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from organizations.dynamics.call import Call
from organizations.dynamics.errors import WebApiError
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.schema import Entity, OneToMany

_RULE = "Delete"
_PARTIES = "activityparty"


def delete(call: Call, entity: Entity, record_id: str, expected: int | None = None) -> None:
    """Delete a record. Raises WebApiError 405, NotFound, VersionMismatch. In a transaction."""
    _Deletion(call).carry_out(entity, record_id, expected)


class _Deletion:
    """One delete with all that it causes; no record is met twice."""

    def __init__(self, call: Call) -> None:
        self._call, self._met = call, set[tuple[str, str]]()

    def carry_out(self, entity: Entity, record_id: str, expected: int | None = None) -> None:
        self._met.add((entity.name, record_id))
        for rule in ("Restrict", "Cascade", "RemoveLink"):
            for relationship in self._by(entity, rule):
                self._follow(relationship, rule, record_id)
        self._remove_pairs(entity, record_id)
        actor = self._call.principal.name
        self._call.store.delete(entity.name, record_id, expected=expected, actor=actor)

    def _by(self, entity: Entity, rule: str) -> Iterator[OneToMany]:
        for item in entity.one_to_many:
            if item.cascade.get(_RULE) == rule and self._has_records(item.referencing_entity):
                yield item

    def _has_records(self, name: str) -> bool:
        catalog = self._call.catalog
        return name != _PARTIES and catalog.enabled(name) and not catalog.entity(name).is_intersect

    def _follow(self, relationship: OneToMany, rule: str, record_id: str) -> None:
        other = self._call.catalog.entity(relationship.referencing_entity)
        attribute = relationship.referencing_attribute
        for key in self._pointing(other, attribute, record_id):
            if (other.name, key) in self._met:
                continue
            if rule == "Restrict":
                raise WebApiError(
                    405,
                    "0x80040227",
                    "The object you tried to delete is associated with another object and cannot "
                    f"be deleted: {other.name} {key} points to it by '{attribute}'.",
                )
            if rule == "Cascade":
                self.carry_out(other, key)
            else:
                actor = self._call.principal.name
                self._call.store.update(other.name, key, {attribute: None}, actor=actor)

    def _pointing(self, entity: Entity, attribute: str, record_id: str) -> list[str]:
        condition = Condition(attribute, Operator.EQ, (record_id,))
        query = Query(entity=entity.name, filter=Group(Logic.AND, (condition,)))
        return list(chain.from_iterable(self._call.store.ids(query)))

    def _remove_pairs(self, entity: Entity, record_id: str) -> None:
        catalog, actor = self._call.catalog, self._call.principal.name
        for item in entity.many_to_many:
            if entity.name == item.intersect_entity or not catalog.enabled(item.intersect_entity):
                continue
            ends = ((item.entity1, item.attribute1), (item.entity2, item.attribute2))
            pairs = catalog.entity(item.intersect_entity)
            for attribute in dict.fromkeys(name for end, name in ends if end == entity.name):
                for key in self._pointing(pairs, attribute, record_id):
                    self._call.store.delete(pairs.name, key, actor=actor)
