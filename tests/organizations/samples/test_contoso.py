"""The metadata of the sample organization: complete, consistent, in three languages."""

import pytest

from organizations import definitions, schema
from organizations.samples import contoso
from organizations.samples.contoso.columns import line
from organizations.samples.contoso.labels import label
from organizations.samples.contoso.tables import table
from organizations.schema import (
    UNSTORED_TYPES,
    AttributeType,
    DateBehavior,
    Entity,
    ManyToMany,
    OneToMany,
    Source,
)

ENTITIES = {entity.name: entity for entity in contoso.entities()}
NAMES_OF_DYNAMICS = {
    "account": ("accountid", "name", "accounts", 1),
    "activityparty": ("activitypartyid", "addressused", "activityparties", 135),
    "appointment": ("activityid", "subject", "appointments", 4201),
    "businessunit": ("businessunitid", "name", "businessunits", 10),
    "competitor": ("competitorid", "name", "competitors", 123),
    "contact": ("contactid", "fullname", "contacts", 2),
    "lead": ("leadid", "fullname", "leads", 4),
    "leadcompetitors": ("leadcompetitorid", None, "leadcompetitorscollection", 24),
    "new_equipment": ("new_equipmentid", "new_name", "new_equipments", 10042),
    "privilege": ("privilegeid", "name", "privileges", 1023),
    "role": ("roleid", "name", "roles", 1036),
    "roleprivileges": ("roleprivilegeid", None, "roleprivilegescollection", 12),
    "systemuser": ("systemuserid", "fullname", "systemusers", 8),
    "systemuserroles": ("systemuserroleid", None, "systemuserrolescollection", 15),
    "team": ("teamid", "name", "teams", 9),
    "transactioncurrency": ("transactioncurrencyid", "currencyname", "transactioncurrencies", 9105),
}


def entities() -> list[Entity]:
    return list(ENTITIES.values())


def test_it_has_the_entities_of_the_acceptance_tests_under_their_names() -> None:
    found = {
        entity.name: (entity.primary_id, entity.primary_name, entity.set_name, entity.type_code)
        for entity in entities()
    }
    assert found == NAMES_OF_DYNAMICS


@pytest.mark.parametrize(("name", "least"), [("account", 40), ("contact", 35), ("lead", 40)])
def test_it_has_the_usual_number_of_attributes(name: str, least: int) -> None:
    real = [item for item in ENTITIES[name].attributes if item.attribute_of is None]
    assert len(real) >= least


@pytest.mark.parametrize("entity", entities(), ids=lambda entity: entity.name)
def test_it_names_everything_in_three_languages(entity: Entity) -> None:
    labels = [entity.label, entity.collection_label]
    for attribute in entity.attributes:
        if attribute.attribute_of is None:
            labels.append(attribute.label)
        if attribute.option_set:
            labels += [option.label for option in attribute.option_set.options]
    assert all([lcid for lcid, _ in item.texts] == [1031, 1033, 1051] for item in labels)


@pytest.mark.parametrize("entity", entities(), ids=lambda entity: entity.name)
def test_it_marks_one_primary_id_and_names_lookups_alike(entity: Entity) -> None:
    keys = [item.name for item in entity.attributes if item.is_primary_id]
    assert keys == [entity.primary_id]
    assert len({item.name for item in entity.attributes}) == len(entity.attributes)
    for attribute in entity.attributes:
        assert attribute.name == attribute.schema_name.lower()
        if attribute.attribute_of:
            assert entity.attribute(attribute.attribute_of)
        if attribute.is_lookup:
            assert set(attribute.targets) <= set(ENTITIES)


def test_it_has_every_type_and_date_behaviour_on_the_custom_entity() -> None:
    attributes = [item for entity in entities() for item in entity.attributes]
    equipment = ENTITIES["new_equipment"].attributes
    absent = {AttributeType.CALENDAR_RULES}
    assert {item.type for item in attributes} == set(AttributeType) - absent
    rare = UNSTORED_TYPES | {AttributeType.PARTYLIST}
    assert {item.type for item in equipment} >= set(AttributeType) - rare
    moments = [item for item in equipment if item.type is AttributeType.DATETIME]
    assert {item.date_behavior for item in moments} == set(DateBehavior)
    assert {item.source for item in equipment} == set(Source)


def test_it_places_a_relationship_at_both_of_its_ends() -> None:
    for entity in entities():
        for link in entity.relationships:
            ends = (
                (link.referenced_entity, link.referencing_entity)
                if isinstance(link, OneToMany)
                else (link.entity1, link.entity2, link.intersect_entity)
            )
            for end in set(ends) & set(ENTITIES):
                assert link in ENTITIES[end].relationships


def test_it_gives_every_lookup_a_relationship_per_target() -> None:
    for entity in entities():
        links = {
            (link.referencing_attribute, link.referenced_entity) for link in entity.many_to_one
        }
        for attribute in entity.attributes:
            owner = attribute.type is AttributeType.OWNER
            targets = ("owner",) if owner else attribute.targets
            if attribute.is_lookup:
                assert {(attribute.name, target) for target in targets} <= links


def test_it_names_relationships_and_navigations_as_dynamics_does() -> None:
    links = {link.name: link for link in ENTITIES["contact"].many_to_one}
    company = links["contact_customer_accounts"]
    assert company.referencing_navigation == "parentcustomerid_account"
    assert company.cascade["Delete"] == "Cascade"
    equipment = {link.referencing_attribute: link for link in ENTITIES["new_equipment"].many_to_one}
    assert equipment["new_parentequipmentid"].referencing_navigation == "new_ParentEquipmentId"
    regarding = {link.referencing_navigation for link in ENTITIES["appointment"].many_to_one}
    assert "regardingobjectid_lead_appointment" in regarding


def test_it_knows_the_pairs_of_every_intersect() -> None:
    pairs = {entity.name: entity.intersect for entity in entities() if entity.is_intersect}
    assert set(pairs) == {"leadcompetitors", "roleprivileges", "systemuserroles"}
    for name, pair in pairs.items():
        assert isinstance(pair, ManyToMany)
        assert ENTITIES[name].attribute(pair.attribute1)
        assert ENTITIES[name].attribute(pair.attribute2)


@pytest.mark.parametrize("name", ["account", "contact", "lead", "appointment", "new_equipment"])
def test_it_maps_every_status_to_a_state(name: str) -> None:
    statecode, statuscode = (ENTITIES[name].attribute(item) for item in ("statecode", "statuscode"))
    assert statecode
    assert statuscode
    assert statecode.option_set
    assert statuscode.option_set
    states = {option.value: option.default_status for option in statecode.option_set.options}
    assert {option.state for option in statuscode.option_set.options} == set(states)
    for state, status in states.items():
        option = statuscode.option_set.option(status or -1)
        assert option
        assert option.state == state


def test_it_leaves_some_entities_without_change_tracking() -> None:
    silent = {entity.name for entity in entities() if not entity.tracks_changes}
    assert silent == {
        "activityparty",
        "businessunit",
        "privilege",
        "roleprivileges",
        "transactioncurrency",
    }
    assert all(ENTITIES[name].attribute(schema.VERSION) for name in silent)


def test_it_has_a_key_of_its_own_on_account() -> None:
    assert [key.attributes for key in ENTITIES["account"].keys] == [("accountnumber",)]


@pytest.mark.parametrize("entity", entities(), ids=lambda entity: entity.name)
def test_it_survives_the_json_codec(entity: Entity) -> None:
    assert definitions.load(definitions.dump(entity)) == entity


@pytest.mark.parametrize("text", ["Name", "Name|Name", "Name||Názov"])
def test_it_refuses_a_label_that_misses_a_language(text: str) -> None:
    with pytest.raises(ValueError, match=r"needs English\|German\|Slovak"):
        label(text)


def test_it_refuses_two_columns_of_one_name() -> None:
    twice = [line("Name", 10, "A|A|A"), line("NAME", 20, "B|B|B")]
    with pytest.raises(ValueError, match="'thing' has two columns 'name'"):
        table("Thing", ("T|T|T", "T|T|T"), twice, code=1, set_name="things")
