"""Case 1b: records move both ways between a Dynamics twin and a client with native entities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from connections.connect import service
from connections.naming.choosing import names_of
from organizations.catalog import Catalog
from organizations.records import Reference
from organizations.schema import Origin
from syncjobs.explain.explaining import explain
from syncjobs.models import OfflineTransaction, Run, Verification
from tests.syncjobs.as_sales import NATIVE, AsSales, connected, make_client, removed

NAMES = {
    "account": {"accountid": "id"},
    "activityparty": {"activitypartyid": "id"},
    "appointment": {"activityid": "id", "subject": "name"},
    "competitor": {"competitorid": "id"},
    "lead": {"leadid": "id", "fullname": "name"},
    "leadcompetitors": {"leadcompetitorid": "id"},
}
HOURS = {"scheduledstart": "2026-01-02T09:00:00Z", "scheduledend": "2026-01-02T10:00:00Z"}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[AsSales]:
    """Both organizations, connected over HTTP; rows are committed, nobody takes a call.

    Its tests are not marked, because in a transaction the server would not see what they write.
    """
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "RESCO_SYNC_EGRESS_ALLOW", ["127.0.0.1"])
        patch.setattr(settings, "ALLOWED_HOSTS", ["127.0.0.1"])
        patch.setattr(current_app, "send_task", lambda *args, **options: None)
        server = LiveServer("127.0.0.1")
        made = connected(server.url)
        yield made
        server.stop()
        removed(made)


@pytest.mark.django_db
def test_the_client_begins_with_native_entities_alone() -> None:
    catalog = Catalog(make_client("native"))
    assert catalog.taken_over() == 0
    assert {catalog.entity(name).primary_id for name in NATIVE} == {"id"}


def test_update_server_takes_native_entities_over_under_their_names(world: AsSales) -> None:
    assert names_of(world.connection).of == NAMES
    account, lead = world.entity("account"), world.entity("lead")
    assert (account.primary_id, account.primary_name) == ("id", "name")
    assert (lead.primary_id, lead.primary_name) == ("id", "name")
    for entity, gone in ((account, "accountid"), (lead, "leadid"), (lead, "fullname")):
        assert entity.attribute(gone) is None
    assert [item.name for item in lead.attributes if item.is_primary_id] == ["id"]
    assert [item.name for item in lead.attributes if item.is_primary_name] == ["name"]
    revenue = account.attribute("revenue")
    assert revenue is not None
    assert revenue.origin is Origin.SERVER
    assert service.preview(world.connection).is_empty
    message = Run.objects.get(kind=Run.Kind.CONNECT).message
    assert "appointment: activityid → id, subject → name;" in message


def test_what_only_the_client_has_stays(world: AsSales) -> None:
    own = world.entity("appointment").attribute("resco_eventid")
    assert own is not None
    assert (own.origin, own.is_hidden) == (Origin.NATIVE, False)
    assert world.entity("opportunity").origin is Origin.NATIVE
    assert not world.entity("opportunity").is_hidden


def test_a_run_carries_records_both_ways(world: AsSales) -> None:
    server, client = world.server, world.client
    there = server.create("account", {"name": "Contoso", "telephone1": "1"}).id
    person = server.create("lead", {"lastname": "Known", "subject": "Topic"}).id
    server.update("lead", person, {"fullname": "Ann Known"})
    meeting = server.create("appointment", {"subject": "Talk", **HOURS}).id
    world.run()
    assert client.get("account", there).values["name"] == "Contoso"
    lead = client.get("lead", person).values
    assert (lead["name"], lead["subject"]) == ("Ann Known", "Topic")
    assert client.get("appointment", meeting).values["name"] == "Talk"
    here = client.create("account", {"name": "Made here"}).id
    talk = client.create("appointment", {"name": "Made here too", **HOURS}).id
    client.update("account", there, {"telephone1": "2"})
    client.update("appointment", meeting, {"name": "Talk again"})
    world.run()
    assert server.get("account", here).values["name"] == "Made here"
    assert server.get("appointment", talk).values["subject"] == "Made here too"
    assert server.get("account", there).values["telephone1"] == "2"
    assert server.get("appointment", meeting).values["subject"] == "Talk again"
    assert not OfflineTransaction.objects.exclude(status="processed").exists()
    quiet = world.run()
    assert world.counts(quiet, "created", "updated", "deleted", "pushed") == (0, 0, 0, 0)


def test_deletions_and_pairs_are_carried_both_ways(world: AsSales) -> None:
    world.connection.entities.update(sync_deletion=True)
    server, client = world.server, world.client
    person = server.create("lead", {"lastname": "A", "subject": "A"}).id
    rivals = [server.create("competitor", {"name": name}).id for name in "AB"]
    gone = [server.create("account", {"name": name}).id for name in "AB"]
    server.associate("leadcompetitors_association", person, rivals[0])
    world.run()
    assert client.pair_id("leadcompetitors_association", person, rivals[0])
    client.associate("leadcompetitors_association", person, rivals[1])
    server.delete("account", gone[0])
    client.delete("account", gone[1])
    world.run()
    assert server.pair_id("leadcompetitors_association", person, rivals[1])
    assert not world.has("account", gone[0])
    assert not server.fetch("account", ["accountid"], gone)
    world.connection.entities.update(sync_deletion=False)


@pytest.mark.parametrize("attribute", ["subject", "name"])
def test_a_filter_may_name_attributes_as_either_side_does(world: AsSales, attribute: str) -> None:
    inside = world.server.create("appointment", {"subject": f"In {attribute}", **HOURS}).id
    outside = world.server.create("appointment", {"subject": "Out", **HOURS}).id
    kept = world.filtered(
        "appointment",
        f'<fetch><entity name="appointment"><filter><condition attribute="{attribute}" '
        f'operator="eq" value="In {attribute}"/></filter></entity></fetch>',
    )
    assert 'attribute="subject"' in kept
    world.run()
    assert (world.has("appointment", inside), world.has("appointment", outside)) == (True, False)
    world.filtered("appointment", "")


def test_a_verification_proves_both_sides_equal_and_finds_a_difference(world: AsSales) -> None:
    ids = [world.server.create("appointment", {"subject": name, **HOURS}).id for name in "AB"]
    world.run()
    world.run(Run.Kind.VERIFY)
    proof = Verification.objects.get(
        entity__connection=world.connection, entity__name="appointment"
    )
    assert (proof.equal >= 2, proof.differences) == (True, 0)
    world.client.update("appointment", ids[0], {"name": "Other"})
    story = explain(world.connection, f"appointment {ids[0]}")
    assert story.notes == [
        "Names are the client's. On the server id is activityid, name is subject."
    ]
    differing = [
        (item.name, item.server, item.client)
        for item in story.fields
        if item.server != item.client and item.name != "modifiedon"
    ]
    assert differing == [("name", "A", "Other")]
    world.run()


@pytest.mark.parametrize(("server_key", "name"), [("accountid", "fullname"), ("id", "name")])
def test_a_filter_by_linked_records_means_the_same_on_both_sides(
    world: AsSales, server_key: str, name: str
) -> None:
    firm = world.server.create("account", {"name": "Contoso"}).id
    lead = {"lastname": "A", "subject": "A"}
    known = Reference("account", firm)
    inside = world.server.create("lead", {**lead, "parentaccountid": known}).id
    outside = world.server.create("lead", {**lead, "fullname": "Nobody"}).id
    world.server.update("lead", inside, {"fullname": "Ann"})
    kept = world.filtered(
        "lead",
        f'<fetch><entity name="lead"><filter><condition attribute="{name}" operator="like" '
        f'value="A%"/></filter><link-entity name="account" from="{server_key}" '
        'to="parentaccountid" alias="firm"><filter><condition attribute="name" operator="eq" '
        'value="Contoso"/></filter></link-entity></entity></fetch>',
    )
    assert 'from="accountid"' in kept
    assert 'attribute="fullname"' in kept
    world.run()
    assert (world.has("lead", inside), world.has("lead", outside)) == (True, False)
    story = explain(world.connection, f"lead {outside}")
    assert "excluded" in story.verdict
    assert story.server_says is False
    world.filtered("lead", "")


def test_a_run_is_taken_back_on_both_sides(world: AsSales) -> None:
    meeting = world.server.create("appointment", {"subject": "Talk", **HOURS}).id
    world.run()
    world.client.update("appointment", meeting, {"name": "Talk again"})
    done = world.run()
    assert world.server.get("appointment", meeting).values["subject"] == "Talk again"
    plan = world.run(Run.Kind.UNDO, run=str(done.pk), preview=True)
    world.run(Run.Kind.UNDO, run=str(done.pk), digest=plan.result["undo"]["digest"])
    assert world.server.get("appointment", meeting).values["subject"] == "Talk"


def test_a_dry_run_predicts_the_run(world: AsSales) -> None:
    world.server.create("account", {"name": "Contoso"})
    world.client.create("appointment", {"name": "Made here", **HOURS})
    planned = world.run(dry_run=True)
    done = world.run()
    told = ("read", "created", "updated", "pushed")
    assert world.counts(planned, *told) == world.counts(done, *told)
