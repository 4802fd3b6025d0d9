"""The metadata of the fake: entities and attributes in the words of the metadata service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr


@dataclass(frozen=True)
class Attribute:
    """An attribute; `more` are further XML attributes of its element."""

    name: str
    type: str = "String"
    targets: tuple[str, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """An entity. Every entity has the row version as an attribute."""

    name: str
    key: str
    attributes: tuple[Attribute, ...]
    primary: str = "name"
    flags: str = "None"

    def attribute(self, name: str) -> Attribute | None:
        return next((item for item in self.attributes if item.name == name), None)

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        return tuple(item for item in self.attributes if item.type == "Lookup")


def _many(**types: str) -> list[Attribute]:
    return [Attribute(name, kind) for name, kind in types.items()]


VERSION = Attribute("versionnumber", "RowVersion", more={"Permissions": "Read"})
THING = Table(
    "thing",
    "thingid",
    (
        Attribute("thingid", "UniqueIdentifier"),
        Attribute("text", more={"Length": "100"}),
        Attribute("memo", more={"Length": "2000", "Format": "TextArea"}),
        Attribute("whole", "Integer", more={"Min": "-1000", "Max": "100000"}),
        Attribute("big", "BigInt"),
        Attribute("money", "Money", more={"Precision": "2"}),
        Attribute("decimal", "Decimal", more={"Precision": "4"}),
        Attribute("real", "Float", more={"Precision": "3"}),
        Attribute("flag", "Boolean"),
        Attribute("moment", "DateTime", more={"Precision": "1"}),
        Attribute("day", "DateTime", more={"Precision": "2"}),
        Attribute("wall", "DateTime", more={"Precision": "3"}),
        Attribute("choice", "Picklist", more={"OptionSetValues": "1;2"}),
        Attribute("choices"),
        Attribute("parent", "Lookup", ("thing",)),
        Attribute("customer", "Lookup", ("thing", "note")),
        VERSION,
    ),
    primary="text",
)
NOTE = Table(
    "note",
    "noteid",
    (Attribute("noteid", "UniqueIdentifier"), Attribute("title"), VERSION),
    primary="title",
)
PAIR = Table(
    "thingnote",
    "thingnoteid",
    (
        Attribute("thingnoteid", "UniqueIdentifier"),
        Attribute("thingid", "Lookup", ("thing",)),
        Attribute("noteid", "Lookup", ("note",)),
        VERSION,
    ),
    flags="Intersect",
)
TASK = Table(
    "task",
    "id",
    (
        Attribute("id", "UniqueIdentifier"),
        Attribute("name"),
        Attribute("statecode", "Picklist", more={"OptionSetValues": "0;1"}),
        Attribute("statuscode", "PicklistMap", more={"OptionSetValues": "0,2,3;1,5"}),
        Attribute("requiredattendees", "PartyList"),
        VERSION,
    ),
    flags="Activity System",
)
DELETED = Table(
    "trackingdelete",
    "id",
    (
        *_many(id="UniqueIdentifier", entityname="String", objectid="UniqueIdentifier"),
        VERSION,
    ),
    primary="entityname",
    flags="Hidden System",
)
TABLES = (THING, NOTE, PAIR, TASK, DELETED)
LABELS = {
    "thing": "Thing",
    "note": "Note",
    "thing.choice.1": "Option 1",
    "thing.choice.2": "Option 2",
}


def entities_xml(tables: Mapping[str, Table]) -> str:
    """Return `$entities`: the children of the root are the entities."""
    listed = "".join(_entity(table) for table in tables.values())
    return f'<Entities xmlns="http://schemas.resco.net/XRM/MetadataService">{listed}</Entities>'


def labels_xml(lcid: str) -> str:
    """Return `$localizations` of a language; there are texts in one."""
    texts = LABELS if lcid == "1033" else {}
    listed = "".join(f'<DisplayName Name="{n}">{text}</DisplayName>' for n, text in texts.items())
    return f'<Language LCID="{lcid}">{listed}</Language>'


def _entity(table: Table) -> str:
    listed = "".join(map(_attribute, table.attributes))
    head = (
        f'Name="{table.name}" EntityAttributes="{table.flags}" PrimaryFieldName="{table.primary}"'
    )
    key = "" if table.key == "id" else f' PrimaryKeyName="{table.key}"'
    return f"<Entity {head}{key}><Attributes>{listed}</Attributes></Entity>"


def _attribute(item: Attribute) -> str:
    targets = f' LookupTargets="{";".join(item.targets)}"' if item.targets else ""
    more = "".join(f" {name}={quoteattr(value)}" for name, value in item.more.items())
    return f'<Attribute Name="{item.name}" Type="{item.type}"{targets}{more} />'
