"""The columns every new entity gets: key, who wrote it and when, owner, state, version.

The list is the documented one for custom tables; names of relationships follow the service's
(`lk_new_x_createdby`, `user_new_x`, `business_unit_new_x`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from organizations.schema import (
    Attribute,
    AttributeType,
    Label,
    OneToMany,
    Option,
    OptionSet,
    Ownership,
    RequiredLevel,
)

T = AttributeType
_USER, _TEAM, _UNIT, _OWNER = "systemuser", "team", "businessunit", "owner"


@dataclass(frozen=True, slots=True)
class Standard:
    """Attributes of a new entity, its relationships to system entities, and its key's name."""

    primary_id: str
    attributes: tuple[Attribute, ...]
    relationships: tuple[OneToMany, ...]


def standard(schema_name: str, label: str, ownership: Ownership, language: int) -> Standard:
    """Return what an entity of that schema name and ownership gets; `language` is an LCID."""
    maker = _Maker(schema_name, language)
    attributes = [maker.key(label), *maker.audit(), *maker.imported(), *maker.states()]
    if ownership is Ownership.USER:
        attributes += maker.owned()
    attributes.append(maker.read_only("VersionNumber", T.BIGINT, "Version Number"))
    return Standard(maker.primary_id, tuple(attributes), tuple(maker.relationships))


class _Maker:
    def __init__(self, schema_name: str, language: int) -> None:
        self.entity = schema_name.lower()
        self.schema_name = schema_name
        self.primary_id = f"{self.entity}id"
        self.language = language
        self.relationships: list[OneToMany] = []

    def label(self, text: str) -> Label:
        return Label.of({self.language: text})

    def plain(self, name: str, kind: AttributeType, text: str) -> Attribute:
        return Attribute(name=name.lower(), schema_name=name, type=kind, label=self.label(text))

    def read_only(self, name: str, kind: AttributeType, text: str) -> Attribute:
        return Attribute(
            name=name.lower(),
            schema_name=name,
            type=kind,
            label=self.label(text),
            is_creatable=False,
            is_updatable=False,
        )

    def key(self, text: str) -> Attribute:
        return Attribute(
            name=self.primary_id,
            schema_name=f"{self.schema_name}Id",
            type=T.UNIQUEIDENTIFIER,
            label=self.label(text),
            required=RequiredLevel.SYSTEM,
            is_primary_id=True,
            is_updatable=False,
            is_custom=True,
        )

    def audit(self) -> Iterator[Attribute]:
        for name, text in (
            ("CreatedBy", "Created By"),
            ("ModifiedBy", "Modified By"),
            ("CreatedOnBehalfBy", "Created By (Delegate)"),
            ("ModifiedOnBehalfBy", "Modified By (Delegate)"),
        ):
            yield from self.lookup(name, text, _USER, f"lk_{self.entity}_{name.lower()}")
        yield self.read_only("CreatedOn", T.DATETIME, "Created On")
        yield self.read_only("ModifiedOn", T.DATETIME, "Modified On")

    def imported(self) -> Iterator[Attribute]:
        for name, kind, text, form in (
            ("OverriddenCreatedOn", T.DATETIME, "Record Created On", "DateOnly"),
            ("ImportSequenceNumber", T.INTEGER, "Import Sequence Number", "None"),
        ):
            yield Attribute(
                name=name.lower(),
                schema_name=name,
                type=kind,
                label=self.label(text),
                format=form,
                is_updatable=False,
            )
        yield self.plain("TimeZoneRuleVersionNumber", T.INTEGER, "Time Zone Rule Version Number")
        yield self.plain("UTCConversionTimeZoneCode", T.INTEGER, "UTC Conversion Time Zone Code")

    def owned(self) -> Iterator[Attribute]:
        yield Attribute(
            name="ownerid",
            schema_name="OwnerId",
            type=T.OWNER,
            label=self.label("Owner"),
            targets=(_USER, _TEAM),
            required=RequiredLevel.SYSTEM,
        )
        self.relate("ownerid", _OWNER, f"owner_{self.entity}")
        yield self.shadow("OwnerIdName", T.STRING, "ownerid")
        yield self.shadow("OwnerIdType", T.ENTITYNAME, "ownerid")
        for name, text, target, relationship in (
            ("OwningBusinessUnit", "Owning Business Unit", _UNIT, f"business_unit_{self.entity}"),
            ("OwningUser", "Owning User", _USER, f"user_{self.entity}"),
            ("OwningTeam", "Owning Team", _TEAM, f"team_{self.entity}"),
        ):
            yield from self.lookup(name, text, target, relationship)

    def lookup(self, name: str, text: str, target: str, relationship: str) -> Iterator[Attribute]:
        yield Attribute(
            name=name.lower(),
            schema_name=name,
            type=T.LOOKUP,
            label=self.label(text),
            targets=(target,),
            is_creatable=False,
            is_updatable=False,
        )
        yield self.shadow(f"{name}Name", T.STRING, name.lower())
        self.relate(name.lower(), target, relationship)

    def relate(self, attribute: str, target: str, name: str) -> None:
        self.relationships.append(
            OneToMany(
                name=name,
                referenced_entity=target,
                referenced_attribute="ownerid" if target == _OWNER else f"{target}id",
                referencing_entity=self.entity,
                referencing_attribute=attribute,
                referenced_navigation=name,
                referencing_navigation=attribute,
            )
        )

    def shadow(self, name: str, kind: AttributeType, owner: str) -> Attribute:
        return Attribute(
            name=name.lower(),
            schema_name=name,
            type=kind,
            attribute_of=owner,
            is_creatable=False,
            is_updatable=False,
        )

    def states(self) -> Iterator[Attribute]:
        active, inactive = self.label("Active"), self.label("Inactive")
        states = (
            Option(value=0, label=active, default_status=1),
            Option(value=1, label=inactive, default_status=2),
        )
        statuses = (
            Option(value=1, label=active, state=0),
            Option(value=2, label=inactive, state=1),
        )
        for name, kind, text, options in (
            ("statecode", T.STATE, "Status", states),
            ("statuscode", T.STATUS, "Status Reason", statuses),
        ):
            yield Attribute(
                name=name,
                schema_name=name,
                type=kind,
                label=self.label(text),
                required=RequiredLevel.SYSTEM if kind is T.STATE else RequiredLevel.NONE,
                option_set=OptionSet(name=f"{self.entity}_{name}", options=options),
            )
            yield self.shadow(f"{name}name", T.VIRTUAL, name)
