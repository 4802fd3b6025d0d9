"""The JSON API: who may do what, and what it answers."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import Permission, User
from django.test import Client

from connections.models import SyncedEntity
from syncjobs import lease
from syncjobs.models import Run, RunEntity, RunError, SyncJob
from tests.syncjobs.making import PASSWORD, basic, make_connection, make_job, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The run ids that workers were called to; nobody comes."""
    made: list[str] = []

    def send_task(name: str, args: tuple[str, ...], **options: Any) -> None:
        made.append(args[0])

    monkeypatch.setattr(current_app, "send_task", send_task)
    return made


def make_user(name: str, **more: Any) -> User:
    return User.objects.create_user(name, f"{name}@example.com", PASSWORD, **more)


def make_admin() -> User:
    return make_user("ann", is_staff=True, is_superuser=True)


def signed_in(user: User | None = None) -> Client:
    client = Client(headers={"Accept": "application/json"})
    client.force_login(user or make_admin())
    return client


def post(client: Client, path: str, content: object = None) -> Any:
    return client.post(path, content or {}, content_type="application/json")


def patch(client: Client, path: str, content: object) -> Any:
    return client.patch(path, content, content_type="application/json")


ALL = [
    "/api/connections/",
    "/api/connections/field/",
    "/api/connections/field/entities/",
    "/api/connections/field/entities/account/",
    "/api/jobs/",
    "/api/runs/",
]


@pytest.mark.parametrize("path", ALL)
def test_it_shows_nothing_to_strangers(path: str) -> None:
    make_connection()
    answer = Client().get(path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic ")
    assert signed_in(make_user("carl")).get(path).status_code == 403
    assert signed_in(make_user("bob", is_staff=True)).get(path).status_code == 403
    assert signed_in().get(path).status_code == 200


def test_it_takes_basic_authentication_of_staff() -> None:
    make_admin()
    assert Client().get("/api/runs/", headers=basic("ann")).status_code == 200
    assert Client().get("/api/runs/", headers=basic("ann", "wrong")).status_code == 401


def test_it_remembers_a_login_until_the_password_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = make_admin()
    checked: list[str] = []
    check = User.check_password

    def counted(self: User, raw_password: str) -> bool:
        checked.append(raw_password)
        return check(self, raw_password)

    monkeypatch.setattr(User, "check_password", counted)
    for _ in range(3):
        assert Client().get("/api/runs/", headers=basic("ann")).status_code == 200
    assert checked == [PASSWORD]
    user.set_password("another one")
    user.save()
    assert Client().get("/api/runs/", headers=basic("ann")).status_code == 401
    User.objects.update(is_active=False)
    assert Client().get("/api/runs/", headers=basic("ann", "another one")).status_code == 401


def test_it_opens_no_password_window_in_a_page_of_ours() -> None:
    answer = Client().get("/api/runs/", headers={"Sec-Fetch-Mode": "cors"})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Session"


def test_it_asks_a_session_for_its_csrf_token() -> None:
    run = make_run(make_connection())
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_admin())
    assert client.post(f"/api/runs/{run.pk}/cancel/").status_code == 403
    assert Client().post(f"/api/runs/{run.pk}/cancel/", headers=basic("ann")).status_code == 200


def test_it_lets_staff_do_what_they_are_permitted() -> None:
    make_connection()
    bob = make_user("bob", is_staff=True)
    for name in ("view_connection", "view_run"):
        bob.user_permissions.add(Permission.objects.get(codename=name))
    client = signed_in(User.objects.get(pk=bob.pk))
    assert client.get("/api/connections/").status_code == 200
    assert client.get("/api/runs/").status_code == 200
    assert client.get("/api/jobs/").status_code == 403
    assert patch(client, "/api/connections/field/", {"write_mode": "instant"}).status_code == 403
    assert post(client, "/api/connections/field/sync/").status_code == 403
    bob.user_permissions.add(Permission.objects.get(codename="add_run"))
    assert post(client, "/api/connections/field/sync/").status_code == 202


def test_it_shows_a_connection_without_its_secrets() -> None:
    connection = make_connection()
    connection.server.sealed_secret = "sealed"
    connection.server.save()
    answer = signed_in().get("/api/connections/field/")
    assert answer.json()["server"]["organization"] == "field-server"
    assert answer.json()["write_mode"] == "offline"
    assert b"sealed" not in answer.content


def test_it_changes_the_write_mode_only() -> None:
    make_connection()
    client = signed_in()
    answer = patch(client, "/api/connections/field/", {"write_mode": "instant", "name": "x"})
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["write_mode"]) == ("field", "instant")
    assert patch(client, "/api/connections/field/", {"write_mode": "x"}).status_code == 400


def test_it_starts_a_sync(calls: list[str]) -> None:
    make_connection(entities=("account", "lead"))
    answer = post(
        signed_in(), "/api/connections/field/sync/", {"entities": ["lead"], "dry_run": True}
    )
    assert answer.status_code == 202
    run = Run.objects.get()
    assert answer.json()["id"] == str(run.pk)
    assert answer.json()["state"] == "queued"
    assert run.options == {"entities": ["lead"], "dry_run": True, "full": False}
    assert (run.user, run.actor, run.reason) == (User.objects.get(), "ann", "API")
    assert calls == [str(run.pk)]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"entities": ["nothing"]}, "entities"),
        ({"entities": "lead"}, "entities"),
        ({"dry_run": "maybe"}, "dry_run"),
    ],
)
def test_it_names_the_faulty_field_of_a_sync(content: object, field: str) -> None:
    make_connection()
    answer = post(signed_in(), "/api/connections/field/sync/", content)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not Run.objects.exists()


def test_it_starts_update_server() -> None:
    make_connection()
    answer = post(signed_in(), "/api/connections/field/update-server/")
    assert answer.status_code == 202
    assert Run.objects.get().kind == "UpdateServer"


def test_it_answers_404_for_what_is_not_there() -> None:
    client = signed_in()
    make_connection()
    assert client.get("/api/connections/nowhere/").status_code == 404
    assert client.get("/api/connections/nowhere/entities/").status_code == 404
    assert client.get("/api/connections/field/entities/lead/").status_code == 404
    assert post(client, "/api/connections/nowhere/sync/").status_code == 404


def test_it_lists_entities_page_by_page() -> None:
    make_connection(entities=("account", "contact", "lead"))
    client = signed_in()
    first = client.get("/api/connections/field/entities/?limit=2").json()
    assert first["count"] == 3
    assert [row["name"] for row in first["results"]] == ["account", "contact"]
    found = client.get("/api/connections/field/entities/?search=lea").json()
    assert [row["name"] for row in found["results"]] == ["lead"]


def test_it_switches_sync_deletion() -> None:
    make_connection()
    path = "/api/connections/field/entities/account/"
    answer = patch(signed_in(), path, {"sync_deletion": True, "name": "x"})
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["sync_deletion"]) == ("account", True)


@pytest.mark.parametrize(
    ("content", "field", "text"),
    [
        ({"filter_xml": "<fetch>"}, "filter_xml", ""),
        (
            {"filter_xml": '<fetch><entity name="account"/></fetch>', "enabled": True},
            "enabled",
            "Only through its calendar.",
        ),
        ({"enabled": True}, "enabled", "Only through its calendar."),
    ],
)
def test_it_refuses_what_cannot_be_carried(content: object, field: str, text: str) -> None:
    make_connection(entities=())
    entity = SyncedEntity.objects.create(
        connection_id=make_connection("south", entities=()).pk,
        name="calendarrule",
        problem="Only through its calendar.",
    )
    answer = patch(signed_in(), "/api/connections/south/entities/calendarrule/", content)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert text in answer.json()[field][0]
    entity.refresh_from_db()
    assert (entity.enabled, entity.filter_xml) == (False, "")


def test_it_asks_for_update_server_before_an_entity_without_definition() -> None:
    connection = make_connection(entities=())
    SyncedEntity.objects.create(connection=connection, name="lead")
    answer = patch(signed_in(), "/api/connections/field/entities/lead/", {"enabled": True})
    assert answer.status_code == 400
    assert "Run Update Server first" in answer.json()["enabled"][0]
    assert not SyncedEntity.objects.get().enabled


def test_it_makes_changes_and_removes_a_job() -> None:
    make_connection()
    client = signed_in()
    made = post(
        client,
        "/api/jobs/",
        {"connection": "field", "frequency": "daily", "hour": 1, "minute": 5, "is_active": True},
    )
    assert made.status_code == 201
    assert made.json()["next_due"].endswith("01:05:00Z")
    path = f"/api/jobs/{made.json()['id']}/"
    assert patch(client, path, {"is_active": False}).json()["next_due"] is None
    assert client.delete(path).status_code == 204
    assert not SyncJob.objects.exists()


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"connection": "nowhere"}, "connection"),
        ({"connection": "field", "frequency": "weekly"}, "frequency"),
        ({"connection": "field", "frequency": "minutes", "every": 0}, "every"),
        ({"connection": "field", "frequency": "daily", "hour": 25}, "hour"),
    ],
)
def test_it_names_the_faulty_field_of_a_job(content: object, field: str) -> None:
    make_connection()
    answer = post(signed_in(), "/api/jobs/", content)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


def test_it_runs_a_job_now() -> None:
    job = make_job(make_connection())
    answer = post(signed_in(), f"/api/jobs/{job.pk}/run/")
    assert answer.status_code == 202
    run = Run.objects.get()
    assert (run.job, run.reason, run.actor) == (job, "Run Now", "ann")


def test_it_finds_runs() -> None:
    make_run(make_connection("field"), state="failed")
    make_run(make_connection("south"))
    client = signed_in()

    def found(query: str) -> list[str]:
        return [row["connection"] for row in client.get(f"/api/runs/{query}").json()["results"]]

    assert found("") == ["south", "field"]
    assert found("?connection=field") == ["field"]
    assert found("?state=queued") == ["south"]
    assert found("?kind=Connect") == []
    assert client.get("/api/runs/?state=nonsense").status_code == 400


def test_it_shows_the_progress_of_a_run() -> None:
    run = make_run(make_connection())
    claimed = lease.claim(run.pk, "worker")
    assert claimed is not None
    RunEntity.objects.create(run=run, name="account", state="running", expected=10, read=4)
    RunError.objects.create(run=run, message="no")
    document = signed_in().get(f"/api/runs/{run.pk}/").json()
    assert (document["state"], document["is_active"], document["worker"]) == (
        "running",
        True,
        "worker",
    )
    assert document["entities"][0]["expected"] == 10
    assert (document["read"], document["error_count"]) == (4, 1)
    assert document["seconds"] > 0
    assert document["rate"] > 0


def test_it_lists_errors_page_by_page() -> None:
    run = make_run(make_connection())
    RunError.objects.bulk_create(RunError(run=run, message=f"no {n}") for n in range(150))
    client = signed_in()
    first = client.get(f"/api/runs/{run.pk}/errors/").json()
    assert (first["count"], len(first["results"])) == (150, 100)
    rest = client.get(first["next"]).json()
    assert [row["message"] for row in rest["results"]] == [f"no {n}" for n in range(100, 150)]


def test_it_cancels_a_run_once() -> None:
    run = make_run(make_connection())
    client = signed_in()
    assert post(client, f"/api/runs/{run.pk}/cancel/").json()["state"] == "cancelled"
    answer = post(client, f"/api/runs/{run.pk}/cancel/")
    assert answer.status_code == 409
    assert answer.json()["state"] == "cancelled"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_lets_nobody_edit_a_run(method: str) -> None:
    run = make_run(make_connection())
    answer = getattr(signed_in(), method)(f"/api/runs/{run.pk}/")
    assert answer.status_code == 405
