"""The metadata of an organization: the list of entities, and one entity with all its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from organizations.admin.page import OrganizationPages, entity_of, language, lcids
from organizations.catalog import Catalog
from organizations.models import EntityDefinition, Organization
from organizations.schema import (
    OPTION_TYPES,
    Attribute,
    AttributeType,
    Entity,
    Label,
    Origin,
    Source,
)
from organizations.tables.sizes import COUNTED, sizes

PAGE = 100
PARTS = {
    "attributes": "Attributes",
    "choices": "Choices",
    "relationships": "Relationships",
    "labels": "Labels",
}


@dataclass(frozen=True, slots=True)
class EntityLine:
    """A line of the list of entities; `count` is None where there is no table."""

    row: EntityDefinition
    label: str
    count: int | None

    @property
    def is_estimate(self) -> bool:
        """Whether the number of records is not exact."""
        return self.count is not None and self.count > COUNTED


@dataclass(frozen=True, slots=True)
class AttributeLine:
    """A line of the list of attributes: `limits` and `marks` in words."""

    attribute: Attribute
    label: str
    limits: str
    marks: str


@dataclass(frozen=True, slots=True)
class LabelLine:
    """What something is called in each of the organization's languages."""

    kind: str
    name: str
    texts: list[str]


class EntityPages(OrganizationPages):
    """Adds the metadata to the admin of organizations."""

    def entity_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        return [
            path(
                "<uuid:pk>/entities/<str:name>/",
                self.admin_site.admin_view(self.entity_view),
                name="organizations_organization_entity",
            )
        ]

    def entities_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Show the entities of an organization, those with records first asked for."""
        organization = self.organization(request, pk)
        search, only = request.GET.get("q", "").strip(), request.GET.get("only", "")
        found = _entities(organization, search, only)
        page = Paginator(found, PAGE).get_page(request.GET.get("p"))
        everything = EntityDefinition.objects.filter(organization=organization)
        return self.page(
            request,
            "entities.html",
            organization,
            title=str(organization),
            tab="entities",
            lines=_lines(organization, list(page.object_list), language(request, organization)),
            listed=page,
            search=search,
            only=only,
            total=everything.count(),
            enabled=everything.filter(has_table=True, is_hidden=False).count(),
            members=organization.members.count(),
            deleted=organization.recycle_bin.count(),
        )

    def entity_view(self, request: HttpRequest, pk: Any, name: str) -> HttpResponse:
        """Show one part of an entity's metadata."""
        organization = self.organization(request, pk)
        entity = entity_of(organization, name)
        lcid = language(request, organization)
        part = request.GET.get("part", "attributes")
        part = part if part in PARTS else "attributes"
        search = request.GET.get("q", "").strip()
        known = {item.name for item in entity.attributes if item.option_set}
        return self.page(
            request,
            "entity.html",
            organization,
            title=f"{entity.label.text(lcid, entity.name)} · {organization}",
            tab="entities",
            entity=entity,
            label=entity.label.text(lcid, entity.name),
            description=entity.description.text(lcid),
            is_enabled=Catalog(organization).enabled(name),
            part=part,
            parts=PARTS.items(),
            search=search,
            lines=_attributes(entity, search, lcid),
            with_choices=[item for item in entity.attributes if item.name in known],
            label_lines=_labels(entity, lcids(organization)) if part == "labels" else [],
        )


def _entities(organization: Organization, search: str, only: str) -> QuerySet[EntityDefinition]:
    rows = EntityDefinition.objects.filter(organization=organization).defer("document")
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(display_name__icontains=search))
    if only == "enabled":
        rows = rows.filter(has_table=True, is_hidden=False)
    return rows.order_by("name")


def _lines(organization: Organization, rows: list[EntityDefinition], lcid: int) -> list[EntityLine]:
    enabled = [row.name for row in rows if row.has_table]
    counts = sizes(organization.schema, enabled)
    catalog = Catalog(organization)
    return [
        EntityLine(row, catalog.entity(row.name).label.text(lcid, row.name), counts.get(row.name))
        for row in rows
    ]


def _attributes(entity: Entity, search: str, lcid: int) -> list[AttributeLine]:
    wanted = search.casefold()
    lines = [
        AttributeLine(item, item.label.text(lcid), limits(item), marks(item))
        for item in entity.attributes
        if item.attribute_of is None
    ]
    return [
        line for line in lines if wanted in line.attribute.name or wanted in line.label.casefold()
    ]


def limits(attribute: Attribute) -> str:
    """Return in words what values an attribute can hold."""
    if attribute.is_lookup or attribute.type is AttributeType.PARTYLIST:
        return ", ".join(attribute.targets)
    if attribute.type is AttributeType.DATETIME:
        return f"{attribute.date_behavior}, {attribute.format or ''}".rstrip(", ")
    if attribute.type in OPTION_TYPES and attribute.option_set:
        kind = "global" if attribute.option_set.is_global else "own"
        return (
            f"{len(attribute.option_set.options)} choices, {kind} set {attribute.option_set.name}"
        )
    parts = []
    if attribute.max_length:
        parts.append(f"up to {attribute.max_length:,} characters")
    if attribute.minimum is not None and attribute.maximum is not None:
        parts.append(f"{attribute.minimum:,.12g} to {attribute.maximum:,.12g}")
    if attribute.precision is not None:
        parts.append(f"{attribute.precision} decimals")
    return ", ".join(parts)


def marks(attribute: Attribute) -> str:
    """Return in words what is special about an attribute."""
    writable = attribute.is_creatable or attribute.is_updatable
    said = {
        "primary id": attribute.is_primary_id,
        "primary name": attribute.is_primary_name,
        "custom": attribute.is_custom,
        "read-only": not writable,
        "set once": attribute.is_creatable and not attribute.is_updatable,
        str(attribute.source): attribute.source is not Source.SIMPLE,
        "local": attribute.origin is Origin.LOCAL,
        "removed on the server": attribute.is_hidden,
        "not kept here": not attribute.is_stored,
    }
    return ", ".join(word for word, holds in said.items() if holds)


def _labels(entity: Entity, languages: list[int]) -> list[LabelLine]:
    def line(kind: str, name: str, label: Label) -> LabelLine:
        texts = dict(label.texts)
        return LabelLine(kind, name, [texts.get(lcid, "") for lcid in languages])

    lines = [
        line("Entity", entity.name, entity.label),
        line("Plural", entity.name, entity.collection_label),
        line("Description", entity.name, entity.description),
    ]
    for attribute in entity.attributes:
        if attribute.attribute_of is None:
            lines.append(line("Attribute", attribute.name, attribute.label))
    return lines
