"""How many client records a change of metadata would touch, asked of the store."""

from __future__ import annotations

from dataclasses import dataclass

from organizations.catalog import Catalog
from organizations.models import Organization
from organizations.query.nodes import Condition, Group, Operator, Query
from organizations.schema import AttributeType
from organizations.store import Store


@dataclass(frozen=True)
class StoreImpact:
    """Counts on a hosted client; 0 for an entity without table."""

    organization: Organization

    def filled(self, entity: str, attribute: str) -> int:
        """Count records in which the attribute has a value: none, where no column keeps it."""
        known = Catalog(self.organization).entity(entity).attribute(attribute)
        if known is None or not known.is_stored:
            return 0
        return self._count(entity, Condition(attribute, Operator.NOT_NULL))

    def longer(self, entity: str, attribute: str, length: int) -> int:
        """Count records whose text is longer than `length` characters."""
        if not Catalog(self.organization).enabled(entity):
            return 0
        return Store(self.organization).count_longer(entity, attribute, length)

    def using(self, entity: str, attribute: str, option: int) -> int:
        """Count records that hold an option."""
        known = Catalog(self.organization).entity(entity).attribute(attribute)
        if known is None or not known.is_stored:
            return 0
        many = known.type is AttributeType.MULTISELECT
        operator = Operator.CONTAIN_VALUES if many else Operator.EQ
        value = bool(option) if known.type is AttributeType.BOOLEAN else option
        return self._count(entity, Condition(attribute, operator, (value,)))

    def _count(self, entity: str, condition: Condition) -> int:
        if not Catalog(self.organization).enabled(entity):
            return 0
        query = Query(entity=entity, filter=Group(children=(condition,)))
        return Store(self.organization).count(query)
