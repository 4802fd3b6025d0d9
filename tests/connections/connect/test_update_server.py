"""Update Server from a live twin to a hosted client, step by step as the original was tested.

Steps 1 to 6 are the original authors' acceptance tests: create, update (three), remove,
localizations. Each change is made on the server, previewed, and then taken over.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from connections.connect import service
from connections.errors import LoginFailed, PlanChanged, Refused, Retryable, Unreachable
from connections.metadata.plan import MetadataPlan, Verb
from connections.metadata.update import EmptyMetadata
from connections.models import Connection, Endpoint
from organizations.catalog import Catalog, create_organization, define, delete_organization, hide
from organizations.errors import SchemaConflict
from organizations.models import Application, EntityDefinition, Organization
from organizations.schema import Attribute, AttributeType, Entity, Label, Origin
from tests.connections.connect.live import (
    SECRET,
    SERVED,
    Live,
    attribute,
    client,
    held,
    items,
    lines,
    live,
    nothing_written,
    records,
)

__all__ = ["live"]
STATE = Connection.State


def make_attribute(name: str, kind: AttributeType = AttributeType.STRING, **more: int) -> Attribute:
    return Attribute(name=name, type=kind, label=Label.of({1033: name.title()}), **more)  # type: ignore[arg-type]


def make_entity(name: str) -> Entity:
    key = Attribute(name=f"{name}id", type=AttributeType.UNIQUEIDENTIFIER, is_primary_id=True)
    return Entity(
        name=name,
        primary_id=key.name,
        set_name=f"{name}s",
        label=Label.of({1033: "Machine"}),
        attributes=(key, make_attribute("new_name")),
        is_custom=True,
    )


@pytest.fixture
def connection(live: Live) -> Connection:
    """The client `field`, connected and ready."""
    made = live.connect("account", "lead", "competitor", "leadcompetitors")
    service.carry_out(made)
    return made


def previewed(connection: Connection) -> MetadataPlan:
    """Return the plan of a preview, after checking that it wrote nothing."""
    with nothing_written():
        return service.preview(connection)


def update(connection: Connection) -> MetadataPlan:
    """Preview, apply exactly that, and check that nothing is left to do."""
    plan = previewed(connection)
    assert service.carry_out(connection, approved=plan) == plan
    return plan


def test_connecting_takes_over_everything_and_makes_the_tables(
    live: Live, connection: Connection
) -> None:
    assert (connection.state, connection.problem) == (STATE.READY, "")
    assert Catalog(client()).names() == sorted([*SERVED, "trackingdelete"])
    tables = EntityDefinition.objects.filter(organization=client(), has_table=True)
    assert set(tables.values_list("name", flat=True)) == {
        "account",
        "lead",
        "competitor",
        "trackingdelete",
        "leadcompetitors",
    }
    assert previewed(connection).is_empty


def test_step_1_create_a_new_custom_entity(live: Live, connection: Connection) -> None:
    define(live.twin, [make_entity("new_machine")])
    assert lines(update(connection)) == ["added entity new_machine"]
    assert held("new_machine").label.text() == "Machine"
    row = connection.entities.get(name="new_machine")
    assert (row.enabled, row.label) == (False, "Machine")
    assert previewed(connection).is_empty


def test_step_2_update_a_new_attribute_of_an_entity_with_records(
    live: Live, connection: Connection
) -> None:
    kept = records().create("account", {"name": "Kept"})
    live.add("account", make_attribute("new_rank", AttributeType.INTEGER))
    assert lines(update(connection)) == ["added attribute account.new_rank"]
    records().update("account", kept.id, {"new_rank": 7})
    values = records().get("account", kept.id).values
    assert (values["name"], values["new_rank"]) == ("Kept", 7)


def test_step_3_update_a_changed_entity(live: Live, connection: Connection) -> None:
    live.change("account", label=Label.of({1033: "Customer"}), tracks_changes=False)
    found = lines(update(connection))
    assert "changed entity account" in found
    assert "changed label account.label.1033" in found
    assert held("account").label.text() == "Customer"
    assert not held("account").tracks_changes


def test_step_3_update_a_longer_and_a_shorter_text(live: Live, connection: Connection) -> None:
    kept = records().create("account", {"name": "Kept", "fax": "0123456789"})
    records().create("account", {"name": "Short", "fax": "12"})
    live.change_attribute("account", "fax", max_length=80)
    (longer,) = items(update(connection))
    assert (longer.before, longer.after) == ("max_length: 50", "max_length: 80")
    assert longer.at_risk == 0
    live.change_attribute("account", "fax", max_length=5)
    (shorter,) = items(update(connection))
    assert (shorter.at_risk, shorter.note) == (1, "1 records are longer than 5 characters.")
    assert attribute("account", "fax").max_length == 5
    assert records().get("account", kept.id).values["fax"] == "0123456789"


def test_step_3_update_a_removed_option_is_retired_while_records_use_it(
    live: Live, connection: Connection
) -> None:
    records().create("account", {"name": "Kept", "industrycode": 1})
    options = live.entity("account").attribute("industrycode")
    assert options is not None
    assert options.option_set is not None
    fewer = replace(
        options.option_set,
        options=tuple(item for item in options.option_set.options if item.value not in (1, 2)),
    )
    live.change_attribute("account", "industrycode", option_set=fewer)
    plan = update(connection)
    removed = {item.name: item.at_risk for item in items(plan) if item.verb is Verb.REMOVE}
    assert removed == {"account.industrycode.1": 1, "account.industrycode.2": 0}
    options_held = attribute("account", "industrycode").option_set
    assert options_held is not None
    assert [item.value for item in options_held.options if item.retired] == [1]
    assert options_held.option(2) is None
    assert previewed(connection).is_empty


def test_step_3_update_a_changed_type_blocks_only_itself(
    live: Live, connection: Connection
) -> None:
    records().create("account", {"name": "Kept", "fax": "123"})
    live.change("account", label=Label.of({1033: "Customer"}))
    live.change_attribute("account", "fax", type=AttributeType.INTEGER, max_length=None)
    blocked = [item for item in items(update(connection)) if item.verb is Verb.BLOCK]
    assert [(item.name, item.at_risk) for item in blocked] == [("account.fax", 1)]
    assert "The type was changed on the server" in blocked[0].note
    assert attribute("account", "fax").type is AttributeType.STRING
    assert held("account").label.text() == "Customer"


def test_step_4_update_a_removed_attribute_is_hidden_with_its_values(
    live: Live, connection: Connection
) -> None:
    kept = records().create("account", {"name": "Kept", "fax": "123"})
    fax = live.entity("account").attribute("fax")
    assert fax is not None
    live.remove_attribute("account", "fax")
    (removed,) = items(update(connection))
    assert (removed.verb, removed.name, removed.at_risk) == (Verb.REMOVE, "account.fax", 1)
    assert removed.note == "Hidden on the client; its values stay until Compact."
    assert attribute("account", "fax").is_hidden
    assert "fax" not in records().get("account", kept.id).values
    live.change_attribute("account", "fax", is_hidden=False)
    assert lines(update(connection)) == ["added attribute account.fax"]
    assert records().get("account", kept.id).values["fax"] == "123"


def test_step_5_remove_an_entity_hides_it_with_its_records(
    live: Live, connection: Connection
) -> None:
    kept = records().create("competitor", {"name": "Kept"})
    live.remove("competitor")
    (removed,) = items(update(connection))
    assert (removed.verb, removed.name) == (Verb.REMOVE, "competitor")
    assert held("competitor").is_hidden
    row = connection.entities.get(name="competitor")
    assert (row.enabled, row.problem) == (False, "The server has no such entity any more.")
    live.change("competitor", is_hidden=False)
    update(connection)
    row.refresh_from_db()
    assert row.problem == ""
    assert records().get("competitor", kept.id).values["name"] == "Kept"


def test_step_6_localizations_of_some_entities(live: Live, connection: Connection) -> None:
    texts = dict(live.entity("account").label.texts) | {1031: "Kundenfirma", 1036: "Compte"}
    live.change("account", label=Label.of(texts))
    live.change_attribute("lead", "subject", label=Label.of({1033: "Topic", 1051: "Vec"}))
    found = lines(update(connection))
    assert "changed label account.label.1031" in found
    assert "added label account.label.1036" in found
    assert "changed label lead.subject.label.1051" in found
    assert "removed label lead.subject.label.1031" in found
    assert held("account").label.text(1036) == "Compte"
    assert dict(attribute("lead", "subject").label.texts) == {1033: "Topic", 1051: "Vec"}


def test_it_stops_when_the_server_moved_since_the_preview(
    live: Live, connection: Connection
) -> None:
    live.add("account", make_attribute("new_one"))
    plan = previewed(connection)
    live.add("account", make_attribute("new_two"))
    with pytest.raises(PlanChanged, match="entity 'account' have changed since the plan"):
        service.carry_out(connection, approved=plan)
    assert held("account").attribute("new_one") is None
    connection.refresh_from_db()
    assert (connection.state, connection.problem) == (STATE.READY, "")
    update(connection)
    assert attribute("account", "new_two").origin is Origin.SERVER


def test_a_server_without_entities_is_not_believed(live: Live, connection: Connection) -> None:
    hide(live.twin, SERVED)
    with pytest.raises(EmptyMetadata):
        service.carry_out(connection)
    assert not held("account").is_hidden
    assert connection.entities.filter(enabled=True).count() == 4


def test_elements_of_the_client_survive_and_are_never_sent(
    live: Live, connection: Connection
) -> None:
    mine = replace(make_attribute("mine"), origin=Origin.LOCAL)
    own = replace(make_entity("new_mine"), origin=Origin.LOCAL)
    define(
        client(), [replace(held("account"), attributes=(*held("account").attributes, mine)), own]
    )
    assert previewed(connection).is_empty
    live.change("account", label=Label.of({1033: "Customer"}))
    update(connection)
    assert attribute("account", "mine") == mine
    assert held("new_mine") == own
    assert live.entity("account").attribute("mine") is None
    assert "new_mine" not in Catalog(live.twin).names()


def test_enabling_an_activity_makes_the_table_of_its_parties(live: Live) -> None:
    made = live.connect("appointment")
    service.carry_out(made)
    catalog = Catalog(client())
    assert catalog.enabled("activityparty")
    assert not catalog.enabled("account")
    assert not made.entities.get(name="activityparty").enabled


def fix(endpoint: Endpoint, url: str) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).update(url=url)


def test_a_job_that_is_refused_says_why_and_can_be_tried_again(live: Live) -> None:
    made = live.connect("account")
    fix(made.server, "http://127.0.0.1:9")
    made = Connection.objects.get(pk=made.pk)
    with pytest.raises(Unreachable):
        service.carry_out(made)
    made = Connection.objects.get(pk=made.pk)
    assert made.state == STATE.FAILED
    assert "127.0.0.1" in made.problem
    fix(made.server, live.url)
    made = Connection.objects.get(pk=made.pk)
    service.carry_out(made)
    made = Connection.objects.get(pk=made.pk)
    assert (made.state, made.problem) == (STATE.READY, "")


def test_a_job_that_may_be_repeated_leaves_the_connection_setting_up(
    live: Live, settings: Settings
) -> None:
    made = live.connect("account")
    settings.RESCO_SYNC_CONNECTORS = {"dynamics": "tests.connections.connect.live.BusyConnector"}
    with pytest.raises(Retryable):
        service.carry_out(made)
    made = Connection.objects.get(pk=made.pk)
    assert (made.state, made.problem) == (STATE.SETTING_UP, "The server is busy.")
    settings.RESCO_SYNC_CONNECTORS = {}
    service.carry_out(made)
    assert Connection.objects.get(pk=made.pk).state == STATE.READY


def test_a_ready_connection_stays_ready_when_an_update_fails(
    live: Live, connection: Connection
) -> None:
    Application.objects.update(is_active=False)
    with pytest.raises(LoginFailed):
        service.carry_out(Connection.objects.get(pk=connection.pk))
    found = Connection.objects.get(pk=connection.pk)
    assert found.state == STATE.READY
    assert found.problem


def test_what_the_client_cannot_take_is_said_on_the_connection(live: Live) -> None:
    wide = tuple(make_attribute(f"new_field{number:04}") for number in range(1600))
    machine = make_entity("new_machine")
    define(live.twin, [replace(machine, attributes=machine.attributes + wide)])
    made = live.connect("account", "new_machine")
    with pytest.raises(SchemaConflict, match="at most 1500 are possible") as raised:
        service.carry_out(made)
    made.refresh_from_db()
    assert (made.state, made.problem) == (STATE.FAILED, str(raised.value))
    made.entities.filter(name="new_machine").update(enabled=False)
    service.carry_out(made)
    made.refresh_from_db()
    assert (made.state, made.problem) == (STATE.READY, "")


def test_another_organization_at_the_same_address_is_refused(
    live: Live, connection: Connection
) -> None:
    delete_organization(live.twin)
    other = create_organization("contoso", Organization.Kind.DYNAMICS_TWIN)
    define(other, [make_entity("new_machine")])
    application = Application(id=live.client_id, organization=other, name="test")
    application.set_secret(SECRET)
    application.save()
    for attempt in (service.preview, service.carry_out):
        with pytest.raises(Refused, match="is another organization than the one"):
            attempt(connection)
    assert "new_machine" not in Catalog(client()).names()
    assert not held("account").is_hidden
