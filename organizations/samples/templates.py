"""What an organization can begin with, instead of nothing: entities with their tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from organizations.catalog import define, enable
from organizations.errors import InvalidRequest
from organizations.models import Organization
from organizations.samples import sales
from organizations.schema import Entity

TEMPLATES: Mapping[str, Callable[[], Sequence[Entity]]] = {"sales": sales.entities}


def fill(organization: Organization, template: str) -> Sequence[Entity]:
    """Define the entities of a template in an empty organization, make their tables, return them.

    Raises InvalidRequest for an unknown template.
    """
    if template not in TEMPLATES:
        known = ", ".join(sorted(TEMPLATES))
        raise InvalidRequest(f"There is no template '{template}'. Known: {known}.", "template")
    entities = TEMPLATES[template]()
    define(organization, entities)
    enable(organization, (entity.name for entity in entities))
    return entities
