"""Metadata of Contoso, a fictitious Dynamics 365 Sales organization.

Names, types, lengths, choices and relationships are facts of Microsoft's public table reference,
in a sensible selection; every text is ours, in English (1033), German (1031) and Slovak (1051).
Entities without change tracking are businessunit, transactioncurrency, privilege, roleprivileges
and activityparty.
"""

from __future__ import annotations

from organizations.samples.contoso.account import account
from organizations.samples.contoso.appointment import activityparty, appointment
from organizations.samples.contoso.competitor import competitor, leadcompetitors
from organizations.samples.contoso.contact import contact
from organizations.samples.contoso.currency import transactioncurrency
from organizations.samples.contoso.equipment import new_equipment
from organizations.samples.contoso.labels import LANGUAGES
from organizations.samples.contoso.lead import lead
from organizations.samples.contoso.people import businessunit, systemuser, team
from organizations.samples.contoso.security import (
    privilege,
    role,
    roleprivileges,
    systemuserroles,
)
from organizations.samples.contoso.tables import connect
from organizations.schema import Entity

__all__ = ["LANGUAGES", "entities"]

_ENTITIES = (
    businessunit,
    transactioncurrency,
    systemuser,
    team,
    role,
    privilege,
    roleprivileges,
    systemuserroles,
    account,
    contact,
    lead,
    competitor,
    leadcompetitors,
    appointment,
    activityparty,
    new_equipment,
)


def entities() -> list[Entity]:
    """Return the metadata of all sample entities, each relationship at both of its ends."""
    return connect(make() for make in _ENTITIES)
