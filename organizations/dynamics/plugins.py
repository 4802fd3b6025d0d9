"""Choosing what a twin tracks: Woodford's Plugins page (mission.md D22)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from django.db import transaction

from organizations.catalog import Catalog, define, enable
from organizations.dynamics import tracking
from organizations.dynamics.tracking import ENTITY, Operation
from organizations.errors import InvalidRequest
from organizations.models import Organization, TwinTracking
from organizations.schema import Entity
from organizations.store import Store

PARTS: Mapping[str, str] = {
    "relationships": "N:N Relationships",
    "deletes": "Delete",
    "owners": "Owner",
}
"""The page's tabs, by the name of what is chosen there."""
_NOT_TRACKED = frozenset({ENTITY, "activityparty"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Something that can be tracked: its name, what people call it, and which entities it joins."""

    name: str
    label: str
    ends: tuple[str, ...] = ()


def choices(organization: Organization, part: str) -> list[Choice]:
    """Return what can be tracked under one of the tabs, by name."""
    catalog = Catalog(organization)
    found = [entity for entity in catalog.entities() if _has_records(catalog, entity)]
    if part == "relationships":
        pairs = (entity.intersect for entity in found)
        named = {item.name: (item.entity1, item.entity2) for item in pairs if item is not None}
        return [Choice(name=name, label=name, ends=named[name]) for name in sorted(named)]
    return [
        Choice(name=entity.name, label=entity.label.text(organization.language, entity.name))
        for entity in found
        if not entity.is_intersect and (part == "deletes" or tracking.owner_of(entity))
    ]


def tracked(organization: Organization) -> TwinTracking:
    """Return what a twin tracks; unsaved where it tracks nothing."""
    found = TwinTracking.objects.filter(organization=organization).first()
    return found or TwinTracking(organization=organization)


def track(organization: Organization, part: str, names: Sequence[str], actor: str = "") -> bool:
    """Track these under one of the tabs from now on, and no others; False if nothing changes.

    The first time, the entity Mobile Tracking is added to the twin, as the solution that brings
    the plug-ins does. Raises InvalidRequest (element = the part) for what cannot be tracked.
    """
    wanted = sorted(set(names))
    unknown = sorted(set(wanted) - {item.name for item in choices(organization, part)})
    if unknown:
        raise InvalidRequest(
            f"{PARTS[part]}: {', '.join(unknown)} cannot be tracked. Choose from the list.", part
        )
    if getattr(tracked(organization), part) == wanted:
        return False
    define(organization, [tracking.entity()])
    enable(organization, [ENTITY])
    with transaction.atomic():
        # The twin's row is the lock of its configuration: two tabs saved at once must both count.
        Organization.objects.select_for_update().get(pk=organization.pk)
        found = tracked(organization)
        setattr(found, part, wanted)
        found.save()
        _tell(organization, found, actor)
    return True


def _has_records(catalog: Catalog, entity: Entity) -> bool:
    return entity.name not in _NOT_TRACKED and catalog.enabled(entity.name)


def _tell(organization: Organization, found: TwinTracking, actor: str) -> None:
    """Write what is tracked from now on, so that whoever reads the rows knows it."""
    store = Store(organization)
    pairs = [store.catalog.relationship(name) for name in found.relationships]
    document = {
        "pairs": sorted(getattr(item, "intersect_entity", "") for item in pairs),
        "deletes": found.deletes,
        "owners": found.owners,
    }
    store.create(
        ENTITY,
        {
            "resco_name": "configuration",
            "resco_operation": Operation.CONFIGURATION.value,
            "resco_configuration": orjson.dumps(document).decode(),
        },
        actor=actor,
    )
