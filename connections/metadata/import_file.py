"""The metadata that a client lacks, as a file that a person imports there.

Its form is that of the metadata export of Resco Cloud (resco.md §2.4): `Metadata/Entities/Entity`
with the attributes of a *delta*, only what is not there yet. That the administration console
takes such a file in again is assumed: the import itself is not published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from connections.metadata.plan import Element, EntityPlan, MetadataPlan, Verb
from organizations.rest.codec import entity_xml
from organizations.rest.markup import DECLARATION, METADATA
from organizations.schema import Entity

FORM = "Resco metadata export, a delta (Metadata/Entities/Entity/Attributes; assumed)"
WHERE = (
    "Apply it in the client organization: Admin Console, Entities, Import (assumed), or make what "
    "it lists there by hand in Woodford, Entities. Then start Update Server again: it says what is "
    "still missing."
)
_ADDED = frozenset({Verb.ADD, Verb.CHANGE})


def document(plan: MetadataPlan, entity: Callable[[str], Entity]) -> bytes:
    """Return the file for a plan; `entity` gives the server's definitions. Raises NotFound."""
    listed = "".join(entity_xml(_delta(item, entity(item.entity))) for item in _wanted(plan))
    body = f'<Metadata xmlns="{METADATA}"><Entities>{listed}</Entities></Metadata>'
    return f"{DECLARATION}{body}\n".encode()


def _wanted(plan: MetadataPlan) -> Iterator[EntityPlan]:
    for item in plan.entities:
        if any(one.verb in _ADDED for one in item.items):
            yield item


def _delta(plan: EntityPlan, entity: Entity) -> Entity:
    """Keep the attributes that differ; a new entity has all."""
    if any(item.element is Element.ENTITY for item in plan.items):
        return entity
    names = {item.name.split(".")[1] for item in plan.items if item.verb in _ADDED}
    kept = tuple(item for item in entity.attributes if item.name in names)
    return replace(entity, attributes=kept, relationships=())
