"""Words of metadata elements and what they mean in the neutral vocabulary (resco.md §2.2, §2.3)."""

from __future__ import annotations

from collections.abc import Mapping

from organizations.schema import AttributeType, DateBehavior, Ownership

T = AttributeType

INTERSECT, ACTIVITY, HIDDEN, SYSTEM = "Intersect", "Activity", "Hidden", "System"
READ, CREATE, UPDATE = "Read", "Create", "Update"

TYPES: Mapping[str, AttributeType] = {
    "UniqueIdentifier": T.UNIQUEIDENTIFIER,
    "PrimaryKey": T.UNIQUEIDENTIFIER,
    "String": T.STRING,
    "Integer": T.INTEGER,
    "BigInt": T.BIGINT,
    "Float": T.DOUBLE,
    "Double": T.DOUBLE,
    "Decimal": T.DECIMAL,
    "DateTime": T.DATETIME,
    "Picklist": T.PICKLIST,
    "PicklistMap": T.STATUS,
    "Boolean": T.BOOLEAN,
    "Money": T.MONEY,
    "Binary": T.FILE,
    "Lookup": T.LOOKUP,
    "RowVersion": T.BIGINT,
    "PartyList": T.PARTYLIST,
}
"""Type words and the types they are read as, where nothing else tells more."""

OWNERSHIP: Mapping[str, Ownership] = {
    "": Ownership.ORGANIZATION,
    "None": Ownership.ORGANIZATION,
    "Organization": Ownership.ORGANIZATION,
    "User": Ownership.USER,
}

BEHAVIORS: Mapping[str, DateBehavior] = {
    "1": DateBehavior.USER_LOCAL,
    "2": DateBehavior.DATE_ONLY,
    "3": DateBehavior.TIME_ZONE_INDEPENDENT,
}
"""Precision of a DateTime attribute is its behaviour; 0 or none means user local."""

TEXT_AREA = "TextArea"
"""Format that makes a String a memo."""

STATE, STATUS = "statecode", "statuscode"
"""Special by name: the plain Picklist of states and the PicklistMap of statuses."""
