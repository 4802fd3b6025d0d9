"""The first page of the admin."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from connections.models import Connection
from syncjobs.models import Run
from tests.syncjobs.admin.conftest import signed_in
from tests.syncjobs.making import make_connection, make_job, make_run


def test_it_tells_how_to_begin(superuser: Client) -> None:
    text = superuser.get("/admin/").content.decode()
    assert "No two organizations are connected yet" in text
    assert "/admin/connections/connection/add/" in text


def test_it_shows_state_last_run_and_next_job(superuser: Client, connection: Connection) -> None:
    make_run(connection, state=Run.State.FAILED, message="No login.")
    last = make_run(connection, state=Run.State.SUCCEEDED, message="All well.")
    due = timezone.now()
    make_job(connection, is_active=True, next_due=due)
    make_job(connection, is_active=False, next_due=timezone.now())
    answer = superuser.get("/admin/")
    (line,) = answer.context["lines"]
    assert (line.last, line.active, line.enabled, line.next_due) == (last, None, 2, due)
    assert [run.message for run in answer.context["troubles"]] == ["No login."]


def test_it_shows_what_is_under_way(superuser: Client, connection: Connection) -> None:
    active = make_run(connection, state=Run.State.RUNNING)
    make_run(connection, state=Run.State.SUCCEEDED)
    (line,) = superuser.get("/admin/").context["lines"]
    assert line.active == active


def test_it_asks_as_much_of_the_database_for_many_connections(
    superuser: Client, connection: Connection, django_assert_max_num_queries: object
) -> None:
    superuser.get("/admin/")
    for number in range(10):
        make_run(make_connection(f"field-{number}"))
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        assert len(superuser.get("/admin/").context["lines"]) == 11


def test_it_tells_nothing_without_permission(connection: Connection) -> None:
    client = signed_in(User.objects.create_user("new", "", "x", is_staff=True))
    text = client.get("/admin/").content.decode()
    assert "Ask a superuser" in text
    assert connection.name not in text
