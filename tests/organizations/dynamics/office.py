"""A small twin with users, owners, delete rules and ordered states."""

from __future__ import annotations

from collections.abc import Mapping

from organizations.catalog import create_organization, define, enable
from organizations.models import Organization
from organizations.schema import (
    Attribute,
    AttributeType,
    Entity,
    Key,
    ManyToMany,
    OneToMany,
    Option,
    OptionSet,
)
from tests.organizations.dynamics.library import key, text

T = AttributeType
USER, FIRM, PERSON, LETTER, TAG = "systemuser", "firm", "person", "letter", "tag"


def points(target: str, entity: str, attribute: str, rule: str, navigation: str = "") -> OneToMany:
    name = f"{target}_{entity}_{attribute}"
    cascade: Mapping[str, str] = {"Delete": rule}
    return OneToMany(
        name=name,
        referenced_entity=target,
        referenced_attribute=f"{target}id",
        referencing_entity=entity,
        referencing_attribute=attribute,
        referenced_navigation=name,
        referencing_navigation=navigation or attribute,
        cascade=cascade,
    )


EMPLOYS = points(FIRM, PERSON, "firmid", "Cascade")
PARENT = points(FIRM, FIRM, "parentid", "RemoveLink")
WRITES = points(PERSON, LETTER, "senderid", "Restrict", "senderid_person")
RECEIVES = points(PERSON, LETTER, "receiverid", "NoCascade")
TAGGED = ManyToMany(
    name="person_tag",
    entity1=PERSON,
    attribute1="personid",
    entity2=TAG,
    attribute2="tagid",
    intersect_entity="persontag",
    navigation1="person_tag",
    navigation2="person_tag",
)


def lookup(name: str, *targets: str, type: AttributeType = T.LOOKUP) -> Attribute:
    return Attribute(name=name, type=type, targets=targets)


def author(name: str) -> Attribute:
    return Attribute(
        name=name, type=T.LOOKUP, targets=(USER,), is_creatable=False, is_updatable=False
    )


def states() -> tuple[Attribute, ...]:
    status = (
        Option(value=1, state=0, next_statuses=(2,)),
        Option(value=2, state=0, next_statuses=(3,)),
        Option(value=3, state=1),
    )
    state = (Option(value=0, default_status=1), Option(value=1, default_status=3))
    return (
        Attribute(
            name="statecode", type=T.STATE, option_set=OptionSet(name="state", options=state)
        ),
        Attribute(
            name="statuscode", type=T.STATUS, option_set=OptionSet(name="status", options=status)
        ),
    )


ENTITIES = (
    Entity(
        name=USER,
        set_name="systemusers",
        primary_id="systemuserid",
        primary_name="name",
        attributes=(
            key("systemuserid"),
            text(),
            Attribute(name="azureactivedirectoryobjectid", type=T.UNIQUEIDENTIFIER),
        ),
    ),
    Entity(
        name=FIRM,
        set_name="firms",
        primary_id="firmid",
        primary_name="name",
        attributes=(
            key("firmid"),
            text(),
            text("number", 20),
            Attribute(name="branch", type=T.INTEGER),
            lookup("parentid", FIRM),
            lookup("ownerid", USER, "team", type=T.OWNER),
            *map(author, ("createdby", "createdonbehalfby", "modifiedby", "modifiedonbehalfby")),
        ),
        keys=(
            Key(name="firm_number", attributes=("number", "branch")),
            Key(name="firm_parent", attributes=("parentid", "number")),
        ),
        relationships=(EMPLOYS, PARENT),
    ),
    Entity(
        name=PERSON,
        set_name="people",
        primary_id="personid",
        primary_name="name",
        attributes=(key("personid"), text(), lookup("firmid", FIRM)),
        relationships=(EMPLOYS, WRITES, RECEIVES, TAGGED),
    ),
    Entity(
        name=LETTER,
        set_name="letters",
        primary_id="letterid",
        primary_name="name",
        attributes=(
            key("letterid"),
            text(),
            lookup("senderid", PERSON, FIRM),
            lookup("receiverid", PERSON),
            *states(),
        ),
        relationships=(WRITES, RECEIVES),
        extras={"EnforceStateTransitions": True},
    ),
    Entity(
        name=TAG,
        set_name="tags",
        primary_id="tagid",
        primary_name="name",
        attributes=(key("tagid"), text()),
        relationships=(TAGGED,),
    ),
    Entity(
        name="persontag",
        set_name="persontagset",
        primary_id="persontagid",
        is_intersect=True,
        attributes=(
            key("persontagid"),
            Attribute(name="personid", type=T.UNIQUEIDENTIFIER),
            Attribute(name="tagid", type=T.UNIQUEIDENTIFIER),
        ),
        relationships=(TAGGED,),
    ),
)


def make_office(name: str = "office") -> Organization:
    twin = create_organization(name, Organization.Kind.DYNAMICS_TWIN, display_name="Office")
    define(twin, ENTITIES)
    enable(twin, [entity.name for entity in ENTITIES])
    return twin
