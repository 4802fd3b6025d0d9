"""The connection's pages: grid, filter, Sync All, Update Server, disconnect, connect."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import create_organization, define
from organizations.models import Organization
from syncjobs.models import Run, RunEntity
from tests.syncjobs import remote
from tests.syncjobs.making import PASSWORD, make_entity, make_run

DYNAMICS = "60650fb3-5d8b-45dd-b82e-459f3b019e9a"
CONNECT = "/admin/connections/connection/add/"


def at(connection: Connection, page: str = "change") -> str:
    return f"/admin/connections/connection/{connection.pk}/{page}/"


def told(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def enabled(connection: Connection) -> set[str]:
    return set(connection.entities.filter(enabled=True).values_list("name", flat=True))


def test_it_saves_only_the_rows_that_were_shown(superuser: Client, connection: Connection) -> None:
    answer = superuser.post(at(connection), {"shown": ["account"], "deletion": ["account"]})
    assert told(answer) == ["Saved. disabled: account; Sync Deletion on: account."]
    assert enabled(connection) == {"contact"}
    assert connection.entities.get(sync_deletion=True).name == "account"


def test_it_says_that_nothing_was_changed(superuser: Client, connection: Connection) -> None:
    answer = superuser.post(at(connection), {"shown": ["account"], "enabled": ["account"]})
    assert told(answer) == ["Nothing was changed."]


def test_it_leaves_an_entity_alone_that_cannot_be_carried(
    superuser: Client, connection: Connection
) -> None:
    SyncedEntity.objects.create(connection=connection, name="party", problem="Never alone.")
    superuser.post(at(connection), {"shown": ["party"], "enabled": ["party"]})
    assert "party" not in enabled(connection)
    assert "Never alone." in superuser.get(at(connection)).content.decode()


def test_it_saves_nothing_that_the_client_has_no_metadata_of(
    superuser: Client, connection: Connection
) -> None:
    SyncedEntity.objects.create(connection=connection, name="lead")
    answer = superuser.post(at(connection), {"shown": ["lead", "account"], "enabled": ["lead"]})
    (message,) = told(answer)
    assert "lead" in message
    assert message.endswith("Run Update Server first.")
    assert enabled(connection) == {"account", "contact"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"account", "contact"}),
        ("?q=cont", {"contact"}),
        ("?only=enabled", {"account"}),
        ("?q=contact&only=enabled", set()),
    ],
)
def test_it_finds_entities(
    superuser: Client, connection: Connection, query: str, names: set[str]
) -> None:
    connection.entities.filter(name="contact").update(enabled=False)
    answer = superuser.get(at(connection) + query)
    assert {row.entity.name for row in answer.context["rows"]} == names
    assert ("No entity matches" in answer.content.decode()) == (not names)


@pytest.mark.parametrize(
    ("backend", "is_atomic", "told_"),
    [
        ("hosted", False, "atomic"),
        ("dynamics", False, "atomic"),
        ("resco_cloud", False, "read before"),
        ("resco_cloud", True, "atomic"),
        ("odata", False, ""),
    ],
)
def test_it_says_how_the_server_checks_versions(
    superuser: Client, connection: Connection, backend: str, is_atomic: bool, told_: str
) -> None:
    SyncedEntity.objects.create(connection=connection, name="pair", is_intersect=True)
    Endpoint.objects.filter(pk=connection.server_id).update(backend=backend, is_atomic=is_atomic)
    rows = superuser.get(at(connection)).context["rows"]
    assert {row.entity.name: row.check for row in rows} == {
        "account": told_,
        "contact": told_,
        "pair": "",
    }


def test_it_shows_the_counts_of_the_last_run_that_wrote(
    superuser: Client, connection: Connection
) -> None:
    real = make_run(connection, state=Run.State.SUCCEEDED)
    rehearsed = make_run(connection, state=Run.State.SUCCEEDED, options={"dry_run": True})
    RunEntity.objects.create(run=real, name="account", created=3)
    RunEntity.objects.create(run=rehearsed, name="account", created=5)
    rows = superuser.get(at(connection)).context["rows"]
    assert [row.last and row.last.created for row in rows] == [3, None]


def test_it_shows_what_a_filter_would_change_before_it_keeps_it(
    superuser: Client, connection: Connection
) -> None:
    text = '<fetch><entity name="account"><filter><condition attribute="name" operator="not-null"/>'
    values = {"filter_xml": f"{text}</filter></entity></fetch>"}
    answer = superuser.post(at(connection, "filter/account"), values)
    run = connection.runs.get(kind=Run.Kind.FILTER)
    assert answer.headers["Location"] == at(connection, f"filter/account/{run.pk}")
    assert connection.entities.get(name="account").filter_xml == ""


def test_it_refuses_a_filter_that_cannot_be_used(superuser: Client, connection: Connection) -> None:
    answer = superuser.post(at(connection, "filter/account"), {"filter_xml": "<fetch>"})
    assert answer.status_code == 400
    assert b'role="alert"' in answer.content
    assert connection.entities.get(name="account").filter_xml == ""


def test_it_has_no_filter_for_an_intersect_or_an_unknown_entity(
    superuser: Client, connection: Connection
) -> None:
    connection.entities.filter(name="contact").update(is_intersect=True)
    assert superuser.get(at(connection, "filter/contact")).status_code == 404
    assert superuser.get(at(connection, "filter/nothing")).status_code == 404


@pytest.mark.parametrize("field", ["dry_run", "full"])
def test_it_starts_a_run_and_shows_it(
    superuser: Client, connection: Connection, field: str, django_capture_on_commit_callbacks: Any
) -> None:
    answer = superuser.post(at(connection, "sync-all"), {field: "1"})
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/admin/syncjobs/run/{run.pk}/change/"
    wanted = {"entities": [], "dry_run": False, "full": False, field: True}
    assert (run.kind, run.options, run.actor) == (Run.Kind.SYNC, wanted, "root")


def test_it_starts_nothing_when_asked_by_get(superuser: Client, connection: Connection) -> None:
    for page in ("sync-all", "update-server"):
        answer = superuser.get(at(connection, page))
        assert answer.headers["Location"] == at(connection)
    assert not Run.objects.exists()


def test_it_previews_and_applies_only_a_plan_that_is_there(
    superuser: Client, connection: Connection
) -> None:
    superuser.post(at(connection, "update-server"))
    preview = Run.objects.get()
    assert preview.options == {"preview": True}
    answer = superuser.post(at(connection, "update-server"), {"preview": str(preview.pk)})
    assert told(answer) == ["That preview is gone. Make a new one."]
    plan = {"digest": "d", "entities": []}
    Run.objects.update(state=Run.State.SUCCEEDED, result=plan)
    superuser.post(at(connection, "update-server"), {"preview": str(preview.pk)})
    assert Run.objects.first().options == {"plan": plan}  # type: ignore[union-attr]


@pytest.mark.parametrize("preview", ["not-an-id", "6a3f5ab2-0000-4000-8000-000000000000"])
def test_it_says_that_an_unknown_preview_is_gone(
    superuser: Client, connection: Connection, preview: str
) -> None:
    answer = superuser.post(at(connection, "update-server"), {"preview": preview})
    assert told(answer) == ["That preview is gone. Make a new one."]
    assert not Run.objects.exists()


def test_it_disconnects_and_keeps_both_organizations(
    superuser: Client, connection: Connection
) -> None:
    assert superuser.get(at(connection, "disconnect")).status_code == 200
    superuser.post(at(connection, "disconnect"))
    assert not Connection.objects.exists()
    assert not Endpoint.objects.exists()
    assert Organization.objects.count() == 2


def test_it_does_not_disconnect_under_a_run(superuser: Client, connection: Connection) -> None:
    make_run(connection)
    answer = superuser.post(at(connection, "disconnect"))
    assert b"Cancel it first" in answer.content
    assert Connection.objects.exists()


def make_far() -> None:
    """A server organization with one entity."""
    define(create_organization("far"), [make_entity()])


def connect(browser: Client, settings: Settings, **changes: str) -> HttpResponse:
    """Post the dialog; the server is an organization hosted here, reached as if elsewhere."""
    settings.RESCO_SYNC_CONNECTORS = {"dynamics": remote.DOTTED_PATH}
    values = {
        "client": "field",
        "email": "admin@field.example",
        "client_password": PASSWORD,
        "confirm_password": PASSWORD,
        "provider": DYNAMICS,
        "url": "https://far.example",
        "user_name": "admin@far.example",
        "password": PASSWORD,
    }
    return browser.post(CONNECT, {**values, **changes})  # type: ignore[return-value]


def test_it_connects_a_new_client_and_shows_the_job(superuser: Client, settings: Settings) -> None:
    make_far()
    answer = connect(superuser, settings)
    assert answer.status_code == 302, answer.context["form"].errors  # type: ignore[attr-defined]
    run = Run.objects.get(kind=Run.Kind.CONNECT)
    assert answer.headers["Location"] == f"/admin/syncjobs/run/{run.pk}/change/"
    assert Organization.objects.get(name="field").members.get().is_administrator


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"client": "No Spaces"}, "client", "lower-case letters"),
        ({"email": ""}, "email", "needs its administrator's e-mail"),
        ({"client_password": ""}, "client_password", "needs a password"),
        ({"confirm_password": "other"}, "confirm_password", "not the same"),
        ({"url": "https://user@far.example"}, "url", "must not hold a user name"),
        ({"url": "https://nowhere.example"}, "url", "cannot be reached"),
        ({"password": "wrong"}, "password", "The password is not right"),
    ],
)
def test_it_shows_a_fault_at_the_field(
    superuser: Client, settings: Settings, changes: dict[str, str], field: str, message: str
) -> None:
    make_far()
    answer = connect(superuser, settings, **changes)
    assert answer.status_code == 400
    assert message in answer.context["form"].errors[field][0]  # type: ignore[attr-defined]
    assert not Connection.objects.exists()


def test_it_says_that_a_client_has_one_server(
    superuser: Client, settings: Settings, connection: Connection
) -> None:
    make_far()
    answer = connect(superuser, settings, client="field")
    assert answer.status_code == 400
    assert b"A client has one server" in answer.content


def test_it_begins_with_what_is_known_of_a_connection(
    superuser: Client, connection: Connection
) -> None:
    Endpoint.objects.filter(pk=connection.server_id).update(
        backend="dynamics", url="https://far.example", user_name="somebody"
    )
    form = superuser.get(f"{CONNECT}?client=field").context["form"]
    shown = {name: form[name].value() for name in ("client", "provider", "url", "user_name")}
    assert list(shown.values()) == ["field", DYNAMICS, "https://far.example", "somebody"]
    assert form["password"].value() is None


@pytest.mark.parametrize(("policy", "is_shown"), [("invite", True), ("open", False)])
def test_it_shows_the_registration_key_that_invited_people_need(
    superuser: Client, settings: Settings, policy: str, is_shown: bool
) -> None:
    settings.RESCO_SYNC_REGISTRATION = policy
    settings.RESCO_SYNC_REGISTRATION_KEY = "open sesame"
    answer = superuser.get(CONNECT)
    assert (b"registration key <code>open sesame</code>" in answer.content) is is_shown
