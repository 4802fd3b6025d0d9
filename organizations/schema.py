"""The neutral vocabulary of metadata: entities, attributes, option sets, relationships, labels.

Words are those of Resco Cloud and Dataverse (logical name, display name, LCID). Every value is
frozen: a schema is compared, planned and applied, never edited in place. Nothing here knows a
wire format, a database or a back end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ENGLISH = 1033


class AttributeType(StrEnum):
    """What an attribute holds. The values are the names that metadata pages and exports show."""

    UNIQUEIDENTIFIER = "Uniqueidentifier"
    STRING = "String"
    MEMO = "Memo"
    INTEGER = "Integer"
    BIGINT = "BigInt"
    DECIMAL = "Decimal"
    DOUBLE = "Double"
    MONEY = "Money"
    BOOLEAN = "Boolean"
    DATETIME = "DateTime"
    PICKLIST = "Picklist"
    MULTISELECT = "MultiSelectPicklist"
    STATE = "State"
    STATUS = "Status"
    LOOKUP = "Lookup"
    CUSTOMER = "Customer"
    OWNER = "Owner"
    PARTYLIST = "PartyList"
    ENTITYNAME = "EntityName"
    IMAGE = "Image"
    FILE = "File"
    MANAGED_PROPERTY = "ManagedProperty"
    CALENDAR_RULES = "CalendarRules"
    VIRTUAL = "Virtual"


LOOKUP_TYPES = frozenset({AttributeType.LOOKUP, AttributeType.CUSTOMER, AttributeType.OWNER})
OPTION_TYPES = frozenset(
    {
        AttributeType.PICKLIST,
        AttributeType.MULTISELECT,
        AttributeType.STATE,
        AttributeType.STATUS,
        AttributeType.BOOLEAN,
    }
)
UNSTORED_TYPES = frozenset(
    {
        AttributeType.ENTITYNAME,
        AttributeType.IMAGE,
        AttributeType.FILE,
        AttributeType.MANAGED_PROPERTY,
        AttributeType.CALENDAR_RULES,
        AttributeType.VIRTUAL,
    }
)
"""Types that metadata declare and no hosted table keeps: there is no column for them."""


class DateBehavior(StrEnum):
    """How a DateTime attribute relates to time zones; only USER_LOCAL values are instants."""

    USER_LOCAL = "UserLocal"
    DATE_ONLY = "DateOnly"
    TIME_ZONE_INDEPENDENT = "TimeZoneIndependent"


class RequiredLevel(StrEnum):
    """Whether a form, or the organization itself, demands a value."""

    NONE = "None"
    RECOMMENDED = "Recommended"
    APPLICATION = "ApplicationRequired"
    SYSTEM = "SystemRequired"


class Source(StrEnum):
    """Where the values of an attribute come from; only SIMPLE ones are typed in by somebody."""

    SIMPLE = "simple"
    CALCULATED = "calculated"
    ROLLUP = "rollup"
    FORMULA = "formula"


class Ownership(StrEnum):
    """Who owns the records of an entity."""

    NONE = "None"
    USER = "UserOwned"
    ORGANIZATION = "OrganizationOwned"
    BUSINESS = "BusinessOwned"


class Origin(StrEnum):
    """Who defined an element of a client's metadata: its server, the client itself, or nobody.

    Native elements are those an organization begins with. A server's element of the same name
    takes them over, while it is blocked by a local one; where the server has none, both stay.
    """

    SERVER = "server"
    LOCAL = "local"
    NATIVE = "native"


@dataclass(frozen=True, slots=True)
class Label:
    """One text in several languages: pairs of LCID and text, sorted by LCID."""

    texts: tuple[tuple[int, str], ...] = ()

    @classmethod
    def of(cls, texts: Mapping[int, str]) -> Label:
        """Make a label from a mapping of LCID to text; empty texts are left out."""
        return cls(tuple(sorted((lcid, text) for lcid, text in texts.items() if text)))

    def text(self, lcid: int = ENGLISH, fallback: str = "") -> str:
        """Return the text in a language, else in English, else in any, else `fallback`."""
        known = dict(self.texts)
        if lcid in known:
            return known[lcid]
        return known.get(ENGLISH) or next(iter(known.values()), fallback)

    def __bool__(self) -> bool:
        """Return whether there is any text."""
        return bool(self.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice. `state` is set on status options only, `default_status` on state options only.

    `next_statuses` are the status values this one may change to; None = no restriction.
    A `retired` option was removed on the server while records still used it.
    """

    value: int
    label: Label = Label()
    description: Label = Label()
    state: int | None = None
    default_status: int | None = None
    next_statuses: tuple[int, ...] | None = None
    color: str | None = None
    retired: bool = False
    extras: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSet:
    """The choices of an attribute. A Boolean has exactly the options 0 and 1."""

    name: str
    options: tuple[Option, ...] = ()
    is_global: bool = False
    label: Label = Label()
    description: Label = Label()
    extras: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def option(self, value: int) -> Option | None:
        """Return the option with that value, or None."""
        return next((option for option in self.options if option.value == value), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One column of an entity.

    `max_length` counts characters; `minimum`/`maximum` bound numbers; `precision` counts decimal
    places. `targets` are the logical names a lookup may point to. `attribute_of` names the
    attribute this one merely shadows (a formatted name). `is_hidden` marks an attribute that was
    removed on the server and whose column is kept until Compact.
    `extras` holds properties of the source that the vocabulary has no word for, so that a twin
    can serve them again unchanged; they never decide anything and never count as a difference.
    """

    name: str
    type: AttributeType
    label: Label = Label()
    description: Label = Label()
    schema_name: str = ""
    required: RequiredLevel = RequiredLevel.NONE
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    precision: int | None = None
    format: str | None = None
    date_behavior: DateBehavior = DateBehavior.USER_LOCAL
    targets: tuple[str, ...] = ()
    option_set: OptionSet | None = None
    default: int | None = None
    source: Source = Source.SIMPLE
    attribute_of: str | None = None
    is_primary_id: bool = False
    is_primary_name: bool = False
    is_readable: bool = True
    is_creatable: bool = True
    is_updatable: bool = True
    is_custom: bool = False
    is_hidden: bool = False
    origin: Origin = Origin.SERVER
    extras: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def is_lookup(self) -> bool:
        """Return whether a value refers to one other record."""
        return self.type in LOOKUP_TYPES

    @property
    def is_polymorphic(self) -> bool:
        """Return whether a lookup can point to more than one entity, so its type is kept too."""
        return self.is_lookup and (len(self.targets) != 1 or self.type is not AttributeType.LOOKUP)

    @property
    def is_stored(self) -> bool:
        """Return whether hosted tables have a column for it."""
        return self.type not in UNSTORED_TYPES and self.attribute_of is None and self.is_readable

    @property
    def is_compared(self) -> bool:
        """Return whether its value belongs to the canonical form of a record (design 5.1.3)."""
        return (
            self.is_stored
            and not self.is_hidden
            and self.source is Source.SIMPLE
            and self.name != VERSION
            and not (self.type is AttributeType.MONEY and self.name.endswith("_base"))
        )


VERSION = "versionnumber"
"""The attribute that grows with every write; the store owns it on every hosted entity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An alternate key: attributes that together name one record."""

    name: str
    attributes: tuple[str, ...]
    label: Label = Label()
    origin: Origin = Origin.SERVER
    extras: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneToMany:
    """A relationship in which `referencing_attribute` of many records points to one record.

    `referencing_navigation` is the name by which a write binds the lookup; it is case-sensitive.
    """

    name: str
    referenced_entity: str
    referenced_attribute: str
    referencing_entity: str
    referencing_attribute: str
    referenced_navigation: str = ""
    referencing_navigation: str = ""
    is_custom: bool = False
    is_hierarchical: bool = False
    cascade: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = Origin.SERVER
    extras: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyToMany:
    """A relationship whose pairs are the records of `intersect_entity`.

    The intersect attribute names need not equal the primary ids of the two entities.
    """

    name: str
    entity1: str
    attribute1: str
    entity2: str
    attribute2: str
    intersect_entity: str
    navigation1: str = ""
    navigation2: str = ""
    is_custom: bool = False
    origin: Origin = Origin.SERVER
    extras: Mapping[str, Any] = field(default_factory=dict, compare=False)


Relationship = OneToMany | ManyToMany


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One table of an organization with all that is known of it.

    `relationships` are those in which the entity takes part, on either side; the same
    relationship therefore appears at both of its entities. `set_name` is the plural by which web
    services address the collection. A view shows what is kept elsewhere and is only read.
    """

    name: str
    primary_id: str
    attributes: tuple[Attribute, ...]
    primary_name: str | None = None
    label: Label = Label()
    collection_label: Label = Label()
    description: Label = Label()
    schema_name: str = ""
    set_name: str = ""
    type_code: int | None = None
    ownership: Ownership = Ownership.USER
    is_intersect: bool = False
    is_view: bool = False
    is_activity: bool = False
    is_custom: bool = False
    tracks_changes: bool = False
    checks_versions: bool = True
    keys: tuple[Key, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    is_hidden: bool = False
    origin: Origin = Origin.SERVER
    extras: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def attribute(self, name: str) -> Attribute | None:
        """Return the attribute with that logical name, or None."""
        return next((item for item in self.attributes if item.name == name), None)

    @property
    def one_to_many(self) -> tuple[OneToMany, ...]:
        """Relationships in which other records point to this entity."""
        return tuple(
            item
            for item in self.relationships
            if isinstance(item, OneToMany) and item.referenced_entity == self.name
        )

    @property
    def many_to_one(self) -> tuple[OneToMany, ...]:
        """Relationships in which this entity's lookups point elsewhere."""
        return tuple(
            item
            for item in self.relationships
            if isinstance(item, OneToMany) and item.referencing_entity == self.name
        )

    @property
    def many_to_many(self) -> tuple[ManyToMany, ...]:
        """N:N relationships of the entity."""
        return tuple(item for item in self.relationships if isinstance(item, ManyToMany))

    @property
    def intersect(self) -> ManyToMany | None:
        """The relationship whose pairs this entity holds, if it is an intersect entity."""
        return next(
            (item for item in self.many_to_many if item.intersect_entity == self.name), None
        )


class ColumnPart(StrEnum):
    """Which half of a value a column holds: the value, or the entity a lookup points to."""

    VALUE = "value"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a flat row: `name` is the attribute's, plus `__type` for a lookup's target."""

    name: str
    attribute: Attribute
    part: ColumnPart = ColumnPart.VALUE


def columns(entity: Entity) -> tuple[Column, ...]:
    """Return the columns of a flat row of `entity`, primary id first, then in metadata order.

    This is the layout of hosted tables, of COPY and of `records.Page.rows`. Hidden attributes
    and `versionnumber` are not part of it.
    """
    return tuple(sorted(_columns(entity), key=lambda column: not column.attribute.is_primary_id))


def _columns(entity: Entity) -> Iterator[Column]:
    for attribute in entity.attributes:
        if not attribute.is_stored or attribute.is_hidden or attribute.name == VERSION:
            continue
        yield Column(attribute.name, attribute)
        if attribute.is_polymorphic:
            yield Column(f"{attribute.name}__type", attribute, ColumnPart.TARGET)
