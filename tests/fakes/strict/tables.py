"""Tables of the strict Dataverse: real definitions, and others made of their real parts."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Json = dict[str, Any]
_COLLECTIONS = ("Attributes", "OneToManyRelationships", "ManyToOneRelationships")


@dataclass(frozen=True)
class Table:
    """One definition in the form of EntityDefinitions with everything expanded."""

    definition: Json

    @property
    def name(self) -> str:
        return str(self.definition["LogicalName"])

    @property
    def set_name(self) -> str:
        return str(self.definition["EntitySetName"])

    @property
    def primary_id(self) -> str:
        return str(self.definition["PrimaryIdAttribute"])

    @cached_property
    def attributes(self) -> dict[str, Json]:
        """The attributes the web service has, by logical name."""
        return {
            item["LogicalName"]: item
            for item in self.definition["Attributes"]
            if item["IsValidODataAttribute"] and item["AttributeOf"] is None
        }

    @cached_property
    def properties(self) -> dict[str, Json]:
        """Property names in the service → attribute."""
        return {property_of(item): item for item in self.attributes.values()}

    @cached_property
    def navigations(self) -> dict[str, Json]:
        """Single-valued navigation properties → relationship, in exactly this letter case."""
        return {
            item["ReferencingEntityNavigationPropertyName"]: item
            for item in self.definition["ManyToOneRelationships"]
        }

    @cached_property
    def pairs(self) -> dict[str, Json]:
        """Collections of N:N relationships by their navigation from this side."""
        found = {}
        for item in self.definition["ManyToManyRelationships"]:
            for side in ("Entity1", "Entity2"):
                if item[f"{side}LogicalName"] == self.name:
                    found[item[f"{side}NavigationPropertyName"]] = item
        return found


def is_lookup(attribute: Json) -> bool:
    return attribute["AttributeType"] in {"Lookup", "Customer", "Owner"}


def property_of(attribute: Json) -> str:
    name = str(attribute["LogicalName"])
    return f"_{name}_value" if is_lookup(attribute) else name


def make_label(text: str) -> Json:
    label = {"Label": text, "LanguageCode": 1033, "IsManaged": True, "HasChanged": None}
    return {"LocalizedLabels": [label], "UserLocalizedLabel": label}


class Parts:
    """Makes definitions out of parts of a real one."""

    def __init__(self, real: Json) -> None:
        self._real = real
        self._attributes = {item["LogicalName"]: item for item in real["Attributes"]}

    def attribute(self, like: str, name: str, **more: Any) -> Json:
        found = copy.deepcopy(self._attributes[like])
        found |= {"LogicalName": name, "SchemaName": name, "DisplayName": make_label(name.title())}
        found |= {"IsPrimaryId": False, "IsPrimaryName": False, "IsSecured": False}
        return {**found, **more}

    def choice(self, name: str, *values: int, kind: str = "Picklist") -> Json:
        real = self._attributes["leadsourcecode"]
        option = real["OptionSet"]["Options"][0]
        options = [
            {**option, "Value": value, "Label": make_label(f"Option {value}")} for value in values
        ]
        chosen = {**real["OptionSet"], "Name": f"thing_{name}", "Options": options}
        more: Json = {"OptionSet": chosen}
        if kind == "MultiSelectPicklist":
            more["@odata.type"] = f"#Microsoft.Dynamics.CRM.{kind}AttributeMetadata"
            more["AttributeType"] = "Virtual"
            more["AttributeTypeName"] = {"Value": "MultiSelectPicklistType"}
        return self.attribute("leadsourcecode", name, **more)

    def many_to_one(self, attribute: str, navigation: str, owner: str, target: str) -> Json:
        found: Json = copy.deepcopy(self._real["ManyToOneRelationships"][0])
        return found | {
            "SchemaName": f"{owner}_{attribute}_{target}",
            "ReferencedEntity": target,
            "ReferencedAttribute": f"{target}id",
            "ReferencedEntityNavigationPropertyName": f"{owner}_{attribute}_{target}",
            "ReferencingEntity": owner,
            "ReferencingAttribute": attribute,
            "ReferencingEntityNavigationPropertyName": navigation,
        }

    def many_to_many(self, name: str, first: str, second: str, intersect: str) -> Json:
        found: Json = copy.deepcopy(self._real["ManyToManyRelationships"][0])
        return found | {
            "SchemaName": name,
            "Entity1LogicalName": first,
            "Entity1IntersectAttribute": f"{first}id",
            "Entity1NavigationPropertyName": name,
            "Entity2LogicalName": second,
            "Entity2IntersectAttribute": f"{second}id",
            "Entity2NavigationPropertyName": name,
            "IntersectEntityName": intersect,
        }

    def table(self, name: str, attributes: list[Json], **more: Any) -> Table:
        """Return a table; `more` are further properties and the collections."""
        for item in attributes:
            item["EntityLogicalName"] = name
        found = copy.deepcopy({k: v for k, v in self._real.items() if k not in _COLLECTIONS})
        found |= {"ManyToManyRelationships": [], "Keys": []}
        found |= dict.fromkeys(_COLLECTIONS, []) | {"Attributes": attributes}
        found |= {"LogicalName": name, "SchemaName": name, "PrimaryIdAttribute": f"{name}id"}
        return Table({**found, "DisplayName": make_label(name.title()), **more})


def make_sample(real: Json) -> list[Table]:
    """Return the tables of the connectors' contract (thing, note, and their pairs)."""
    make = Parts(real)
    pairs = make.many_to_many("thing_note", "thing", "note", "thingnote")
    parent = make.many_to_one("parent", "parent", "thing", "thing")
    to_thing, to_note = (
        make.many_to_one("customer", f"customer_{target}", "thing", target)
        for target in ("thing", "note")
    )
    thing = make.table(
        "thing",
        [*_plain(make), *_special(make)],
        EntitySetName="things",
        PrimaryNameAttribute="text",
        ManyToOneRelationships=[parent, to_thing, to_note],
        OneToManyRelationships=[parent, to_thing],
        ManyToManyRelationships=[pairs],
    )
    note = make.table(
        "note",
        _note(make),
        EntitySetName="notes",
        PrimaryNameAttribute="title",
        ChangeTrackingEnabled=False,
        OneToManyRelationships=[to_note],
        ManyToManyRelationships=[pairs],
    )
    return [thing, note, _pairs(make, pairs)]


def _plain(make: Parts) -> list[Json]:
    writable = {"IsValidForCreate": True, "IsValidForUpdate": True}
    return [
        make.attribute("leadid", "thingid", IsPrimaryId=True),
        make.attribute("subject", "text", MaxLength=100, IsPrimaryName=True),
        make.attribute("description", "memo", MaxLength=2000),
        make.attribute("numberofemployees", "whole", MinValue=-1000, MaxValue=100000),
        make.attribute("versionnumber", "big", **writable),
        make.attribute("revenue", "money", Precision=2, PrecisionSource=0),
        make.attribute("exchangerate", "decimal", Precision=4, **writable),
        make.attribute("address1_latitude", "real", Precision=3),
        make.attribute("donotemail", "flag"),
    ]


def _special(make: Parts) -> list[Json]:
    free = {"DateTimeBehavior": {"Value": "TimeZoneIndependent"}}
    targets = {"Targets": ["thing", "note"], "RequiredLevel": {"Value": "None"}}
    return [
        make.attribute("lastonholdtime", "moment"),
        make.attribute("estimatedclosedate", "day", DateTimeBehavior={"Value": "DateOnly"}),
        make.attribute("lastonholdtime", "wall", **free),
        make.choice("choice", 1, 2),
        make.choice("choices", 1, 2, 3, kind="MultiSelectPicklist"),
        make.attribute("parentaccountid", "parent", Targets=["thing"]),
        make.attribute("customerid", "customer", **targets),
        make.attribute("versionnumber", "versionnumber"),
    ]


def _note(make: Parts) -> list[Json]:
    return [
        make.attribute("leadid", "noteid", IsPrimaryId=True),
        make.attribute("subject", "title", MaxLength=100, IsPrimaryName=True),
        make.attribute("versionnumber", "versionnumber"),
    ]


def _pairs(make: Parts, relationship: Json) -> Table:
    ids = [
        make.attribute("leadid", f"{name}id", IsPrimaryId=name == "thingnote")
        for name in ("thingnote", "thing", "note")
    ]
    return make.table(
        "thingnote",
        [*ids, make.attribute("versionnumber", "versionnumber")],
        EntitySetName="thingnotecollection",
        PrimaryNameAttribute=None,
        IsIntersect=True,
        ManyToManyRelationships=[relationship],
    )
