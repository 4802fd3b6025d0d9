"""Metadata of an organization "as Sales": native Resco entities, key `id` and name `name`.

Names are those that Resco's published templates use (resco.md §6.1), lengths, types, targets and
states those of its entity list where it has them (§6.2, §6.3). Assumed are: which types and
lengths the other attributes have, who owns a record where the list names no owner, the options of
`contacttype` and `appointmenttype`, the attributes of competitor, leadcompetitors and
businessunit (§6.4), and that "as Sales" (mission.md A4, case 1b) means these entities. The views
`activity` and `activitypointer` are not made. Every element is of native origin: a server's
element of the same name takes it over, and it stays where the server has none.
"""

from __future__ import annotations

from dataclasses import replace

from organizations.samples.sales.activities import activityparty, annotation, appointment, task
from organizations.samples.sales.customers import (
    account,
    competitor,
    contact,
    lead,
    leadcompetitors,
)
from organizations.samples.sales.inspection import question, questiongroup, questionnaire
from organizations.samples.sales.people import businessunit, role, systemuser, team
from organizations.samples.sales.selling import (
    opportunity,
    pricelevel,
    transactioncurrency,
    uom,
)
from organizations.schema import Entity

__all__ = ["entities"]

_ENTITIES = (
    businessunit,
    systemuser,
    team,
    role,
    transactioncurrency,
    uom,
    pricelevel,
    account,
    contact,
    lead,
    competitor,
    leadcompetitors,
    opportunity,
    appointment,
    task,
    activityparty,
    annotation,
    questionnaire,
    questiongroup,
    question,
)


def entities() -> list[Entity]:
    """Return the entities; an N:N relationship stands at each entity that takes part in it."""
    made = {entity.name: entity for entity in (make() for make in _ENTITIES)}
    for entity in list(made.values()):
        pair = entity.intersect
        for name in (pair.entity1, pair.entity2) if pair else ():
            made[name] = _with(made[name], entity)
    return list(made.values())


def _with(entity: Entity, pairs: Entity) -> Entity:
    return replace(entity, relationships=(*entity.relationships, *pairs.relationships))
