"""Changing names: by page, JSON API and command; what is refused; what Update Server makes of it.

The server is hosted here too, so no HTTP is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from connections.connect import service
from connections.models import Connection, Endpoint, SyncedEntity
from connections.naming import editing
from connections.naming.choosing import names_of
from organizations.catalog import Catalog, create_organization, define, enable
from organizations.errors import InvalidRequest
from organizations.models import Organization
from organizations.samples import contoso, sales
from organizations.schema import Attribute, AttributeType, Origin

pytestmark = pytest.mark.django_db
NAMES = {"appointment": {"activityid": "id", "subject": "name"}, "role": {"roleid": "id"}}
CHOSEN = ("appointment", "role")


def make_native(name: str, kind: str, entities: list[Any]) -> Organization:
    organization = create_organization(name, kind)
    define(organization, entities)
    enable(organization, [entity.name for entity in entities])
    return organization


@pytest.fixture
def connection() -> Connection:
    """A twin, and a client as Sales with an attribute of its own, after the first Update Server."""
    served = [entity for entity in contoso.entities() if entity.name in CHOSEN]
    own = Attribute(name="mine", type=AttributeType.STRING, max_length=9, origin=Origin.LOCAL)
    had = [
        replace(entity, attributes=(*entity.attributes, own))
        for entity in sales.entities()
        if entity.name in CHOSEN
    ]
    backend = Endpoint.Backend.HOSTED
    server = make_native("contoso", Organization.Kind.DYNAMICS_TWIN, served)
    client = make_native("field", Organization.Kind.CLIENT, had)
    made = Connection.objects.create(
        name="field",
        server=Endpoint.objects.create(backend=backend, organization=server),
        client=Endpoint.objects.create(backend=backend, organization=client),
    )
    for name in CHOSEN:
        SyncedEntity.objects.create(connection=made, name=name, enabled=True)
    service.carry_out(made)
    made.refresh_from_db()
    return made


def row(connection: Connection, name: str = "appointment") -> SyncedEntity:
    return connection.entities.get(name=name)


def page(connection: Connection, name: str = "") -> str:
    return f"/admin/connections/connection/{connection.pk}/names/{name}{'/' if name else ''}"


def api(name: str = "") -> str:
    return f"/api/connections/field/names/{name}{'/' if name else ''}"


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def viewer(client: Client) -> Client:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


def test_update_server_keeps_what_it_suggested(connection: Connection) -> None:
    assert names_of(connection).of == NAMES
    assert connection.entities.filter(names=None).count() == 0
    found = editing.look(row(connection))
    assert found.is_suggested
    assert found.server is not None
    assert found.server.primary_id == "activityid"
    assert "mine" not in [item.name for item in found.client_attributes()]
    assert "activityid" in [item.name for item in found.server_attributes()]
    assert service.preview(connection).is_empty


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ({}, "must be the server's key: 'activityid' → 'id'"),
        ({"subject": "name"}, "must be the server's key: 'activityid' → 'id'"),
        ({"activityid": "id", "topic": "name"}, "has no attribute 'topic'"),
        ({"activityid": "id", "subject": "titel"}, "client's 'appointment' has no attribute"),
        ({"activityid": "id", "subject": "mine"}, "'mine' is the client's own attribute"),
        ({"activityid": "id", "subject": "location"}, "The server has an attribute 'location' too"),
        ({"activityid": "id", "scheduledstart": "name"}, "is DateTime and 'name' is String"),
        (
            {"activityid": "id", "subject": "name", "category": "name"},
            "'category' and 'subject' cannot both be 'name'",
        ),
    ],
)
def test_it_refuses_names_that_cannot_be(
    connection: Connection, root: Client, names: Mapping[str, str], problem: str
) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        editing.save(row(connection), names)
    answer = root.put(api("appointment"), {"names": names}, content_type="application/json")
    assert answer.status_code == 400
    assert problem in answer.json()["names"][0]
    assert names_of(connection).of == NAMES


def test_other_names_are_taken_over_and_can_be_reset(connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(metadata_stamp="1:known")
    pairs = {"activityid": "id", "location": "name", "subject": "location"}
    assert editing.save(row(connection), pairs)
    connection.refresh_from_db()
    assert connection.metadata_stamp == ""
    service.carry_out(connection)
    entity = Catalog(connection.client.organization).entity("appointment")  # type: ignore[arg-type]
    assert entity.primary_name == "location"
    assert not editing.save(row(connection), pairs)
    assert editing.look(row(connection)).suggestion == NAMES["appointment"]
    assert editing.reset(row(connection))
    service.carry_out(connection)
    entity = Catalog(connection.client.organization).entity("appointment")  # type: ignore[arg-type]
    assert entity.primary_name == "name"
    assert names_of(connection).of == NAMES


def test_names_wait_for_the_servers_metadata(connection: Connection) -> None:
    late = SyncedEntity.objects.create(connection=connection, name="team")
    with pytest.raises(InvalidRequest, match="Run Update Server first"):
        editing.save(late, {})
    with pytest.raises(InvalidRequest, match="Run Update Server first"):
        editing.reset(late)


def test_the_pages_show_change_and_reset_names(connection: Connection, root: Client) -> None:
    text = root.get(page(connection)).content.decode()
    assert "activityid → id, subject → name" in text
    opened: Any = root.get(page(connection), {"entity": "role"})
    assert opened["Location"] == page(connection, "role")
    text = root.get(page(connection, "appointment")).content.decode()
    assert 'value="activityid"' in text
    assert text.count('name="server"') == 5
    form = {
        "server": ["activityid", "location", "subject", ""],
        "client": ["id", "name", "location"],
    }
    saved = root.post(page(connection, "appointment"), form, follow=True).content.decode()
    assert "The names of Appointment are saved. Press Update Server" in saved
    assert row(connection).names["location"] == "name"  # type: ignore[index]
    root.post(page(connection, "appointment"), {"reset": "1"})
    assert row(connection).names == NAMES["appointment"]
    again = root.post(page(connection, "appointment"), {"reset": "1"}, follow=True)
    assert "are as they were" in again.content.decode()


def test_a_page_says_what_is_wrong_and_keeps_what_was_typed(
    connection: Connection, root: Client
) -> None:
    form = {"server": ["activityid", "nothing"], "client": ["id", "name"]}
    answer = root.post(page(connection, "appointment"), form)
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "has no attribute &#x27;nothing&#x27;" in text
    assert 'value="nothing"' in text
    unknown = root.get(page(connection), {"entity": "nothing"})
    assert unknown.status_code == 400
    assert "has no entity &#x27;nothing&#x27;" in unknown.content.decode()
    assert root.get(page(connection, "nothing")).status_code == 404


def test_a_connection_without_other_names_says_so(connection: Connection, root: Client) -> None:
    connection.entities.update(names={})
    assert "the same names on both sides" in root.get(page(connection)).content.decode()
    late = SyncedEntity.objects.create(connection=connection, name="team")
    assert "not known yet" in root.get(page(connection, late.name)).content.decode()


def test_who_may_only_look_changes_nothing(connection: Connection, viewer: Client) -> None:
    assert viewer.get(page(connection)).status_code == 200
    assert "disabled" in viewer.get(page(connection, "role")).content.decode()
    assert viewer.post(page(connection, "role"), {"reset": "1"}).status_code == 403
    assert viewer.get(api("role")).status_code == 200
    body: dict[str, Any] = {"names": {}}
    assert viewer.put(api("role"), body, content_type="application/json").status_code == 403
    assert viewer.delete(api("role")).status_code == 403


def test_the_api_shows_changes_and_resets_names(connection: Connection, root: Client) -> None:
    listed = root.get(api()).json()["results"]
    assert {item["entity"]: item["names"] for item in listed} == NAMES
    names = {"activityid": "id", "location": "name", "subject": "location"}
    answer = root.put(api("appointment"), {"names": names}, content_type="application/json")
    assert answer.json() == {
        "entity": "appointment",
        "names": names,
        "suggestion": NAMES["appointment"],
    }
    assert root.delete(api("appointment")).json()["names"] == NAMES["appointment"]
    assert root.get(api("nothing")).status_code == 404
    late = SyncedEntity.objects.create(connection=connection, name="team")
    assert root.delete(api(late.name)).status_code == 400
    bad = root.put(api("role"), {"names": [1]}, content_type="application/json")
    assert bad.status_code == 400


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("names", "field", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_changes_and_resets_names(connection: Connection) -> None:
    assert orjson.loads(run("--json"))["names"] == NAMES
    assert "role: roleid → id" in run()
    changed = ("appointment", "--set", "location=name", "--set", "subject=location", "--json")
    assert orjson.loads(run(*changed))["names"]["appointment"]["subject"] == "location"
    removed = run("appointment", "--remove", "location", "--set", "subject=name")
    assert removed.splitlines() == ["appointment: activityid → id", "appointment: subject → name"]
    run("appointment", "--reset")
    assert names_of(connection).of == NAMES
    connection.entities.update(names={})
    assert run().strip() == "All attributes have the same names on both sides."


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--reset",), "Name the entity whose names are changed"),
        (("nothing",), "has no entity 'nothing'"),
        (("role", "--set", "roleid"), "--set needs SERVER=CLIENT, not 'roleid'"),
        (("role", "--remove", "name"), "'name' of 'role' has its own name already"),
        (("role", "--remove", "roleid"), "must be the server's key"),
    ],
)
def test_the_command_refuses_what_cannot_be(
    connection: Connection, arguments: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(CommandError, match=problem) as raised:
        run(*arguments)
    assert raised.value.returncode == 2
