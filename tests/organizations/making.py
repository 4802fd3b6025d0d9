"""Making hosted organizations and entities for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from organizations import catalog
from organizations.models import Organization
from organizations.records import Action, Row
from organizations.schema import (
    Attribute,
    AttributeType,
    DateBehavior,
    Entity,
    Label,
    ManyToMany,
    Option,
    OptionSet,
)
from organizations.store import Merged, Store

NOON = "2024-05-01T12:00:00Z"


def make_id() -> str:
    return str(uuid4())


def make_attribute(name: str, kind: AttributeType = AttributeType.STRING, **more: Any) -> Attribute:
    return Attribute(name=name, type=kind, **more)


def make_status() -> tuple[Attribute, Attribute]:
    states = (Option(value=0, default_status=1), Option(value=1, default_status=2))
    statuses = (
        Option(value=1, state=0),
        Option(value=2, state=1),
        Option(value=3, state=0),
    )
    return (
        make_attribute(
            "statecode", AttributeType.STATE, option_set=OptionSet(name="state", options=states)
        ),
        make_attribute(
            "statuscode",
            AttributeType.STATUS,
            option_set=OptionSet(name="status", options=statuses),
        ),
    )


def make_account(*more: Attribute) -> Entity:
    kind = AttributeType
    return Entity(
        name="account",
        primary_id="accountid",
        primary_name="name",
        set_name="accounts",
        label=Label.of({1033: "Account"}),
        attributes=(
            make_attribute("accountid", kind.UNIQUEIDENTIFIER, is_primary_id=True),
            make_attribute("name", max_length=100, is_primary_name=True),
            make_attribute("employees", kind.INTEGER, minimum=0, maximum=1000),
            make_attribute("revenue", kind.MONEY, precision=2),
            make_attribute("parentaccountid", kind.LOOKUP, targets=("account",)),
            make_attribute("ownerid", kind.OWNER, targets=("systemuser", "team")),
            make_attribute("createdon", kind.DATETIME),
            make_attribute("modifiedon", kind.DATETIME),
            *make_status(),
            *more,
        ),
        relationships=(make_members(),),
    )


def make_every_type() -> Entity:
    kind, day, zone = AttributeType, DateBehavior.DATE_ONLY, DateBehavior.TIME_ZONE_INDEPENDENT
    return Entity(
        name="sampler",
        primary_id="samplerid",
        set_name="samplers",
        attributes=(
            make_attribute("samplerid", kind.UNIQUEIDENTIFIER, is_primary_id=True),
            make_attribute("text"),
            make_attribute("memo", kind.MEMO),
            make_attribute("whole", kind.INTEGER),
            make_attribute("big", kind.BIGINT),
            make_attribute("decimal", kind.DECIMAL, precision=4),
            make_attribute("real", kind.DOUBLE),
            make_attribute("money", kind.MONEY, precision=2),
            make_attribute("flag", kind.BOOLEAN),
            make_attribute("moment", kind.DATETIME),
            make_attribute("day", kind.DATETIME, date_behavior=day),
            make_attribute("wall", kind.DATETIME, date_behavior=zone),
            make_attribute("choice", kind.PICKLIST),
            make_attribute("choices", kind.MULTISELECT),
            make_attribute("other", kind.UNIQUEIDENTIFIER),
            make_attribute("parent", kind.LOOKUP, targets=("sampler",)),
            make_attribute("customer", kind.CUSTOMER, targets=("account", "contact")),
            make_attribute("parties", kind.PARTYLIST),
            make_attribute("picture", kind.IMAGE),
        ),
    )


def make_members() -> ManyToMany:
    return ManyToMany(
        name="account_rivals",
        entity1="account",
        attribute1="accountidone",
        entity2="account",
        attribute2="accountidtwo",
        intersect_entity="accountrivals",
    )


def make_rivals() -> Entity:
    kind = AttributeType.UNIQUEIDENTIFIER
    return Entity(
        name="accountrivals",
        primary_id="accountrivalid",
        set_name="accountrivalscollection",
        is_intersect=True,
        attributes=(
            make_attribute("accountrivalid", kind, is_primary_id=True),
            make_attribute("accountidone", kind),
            make_attribute("accountidtwo", kind),
        ),
        relationships=(make_members(),),
    )


def make_activity() -> tuple[Entity, Entity]:
    kind = AttributeType
    activity = Entity(
        name="appointment",
        primary_id="activityid",
        is_activity=True,
        attributes=(
            make_attribute("activityid", kind.UNIQUEIDENTIFIER, is_primary_id=True),
            make_attribute("subject"),
            make_attribute("requiredattendees", kind.PARTYLIST),
            make_attribute("organizer", kind.PARTYLIST),
        ),
    )
    party = Entity(
        name="activityparty",
        primary_id="activitypartyid",
        attributes=(
            make_attribute("activitypartyid", kind.UNIQUEIDENTIFIER, is_primary_id=True),
            make_attribute("activityid", kind.LOOKUP, targets=("appointment",)),
            make_attribute("partyid", kind.LOOKUP, targets=("account", "contact")),
            make_attribute("participationtypemask", kind.PICKLIST),
            make_attribute("addressused"),
        ),
    )
    return activity, party


def make_organization(*entities: Entity, kind: str = "client") -> Organization:
    organization = catalog.create_organization(f"test-{uuid4().hex[:12]}", kind)
    catalog.define(organization, entities)
    catalog.enable(organization, [entity.name for entity in entities])
    return organization


def make_store(*entities: Entity) -> Store:
    return Store(make_organization(*(entities or (make_account(),))))


def write(
    store: Store,
    action: Action,
    columns: Sequence[str],
    rows: Sequence[Row],
    expected: Sequence[int] | None = None,
    *,
    entity: str = "account",
    origin: str = "",
) -> Merged:
    """Stage and merge one batch; for use inside a transaction."""
    versions = expected or [0] * len(rows)
    staged = store.stage(entity, action=action, columns=columns, rows=rows, expected=versions)
    return store.merge(staged, origin=origin)
