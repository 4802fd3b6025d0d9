"""Runs in the admin: the list, the page, Cancel."""

from __future__ import annotations

from django.contrib.messages import get_messages
from django.test import Client

from connections.models import Connection
from syncjobs.models import Run, RunEntity, RunError
from tests.syncjobs.making import make_run


def test_it_lists_runs_newest_first_and_filters_them(
    superuser: Client, connection: Connection
) -> None:
    first = make_run(connection, state=Run.State.FAILED, message="No login.")
    last = make_run(connection, options={"dry_run": True})
    listed = superuser.get("/admin/syncjobs/run/").context["cl"].result_list
    assert [run.pk for run in listed] == [last.pk, first.pk]
    answer = superuser.get("/admin/syncjobs/run/?state__exact=failed")
    assert [run.pk for run in answer.context["cl"].result_list] == [first.pk]
    text = superuser.get("/admin/syncjobs/run/").content.decode()
    assert "(dry run)" in text
    assert "No login." in text


def test_it_shows_counts_and_fifty_errors_a_page(superuser: Client, connection: Connection) -> None:
    run = make_run(connection, state=Run.State.PARTLY)
    RunEntity.objects.create(run=run, name="account", read=1234, rejected=60)
    RunError.objects.bulk_create(RunError(run=run, message=f"no. {n}") for n in range(60))
    answer = superuser.get(f"/admin/syncjobs/run/{run.pk}/change/")
    assert b"1,234" in answer.content
    assert len(answer.context["errors"].object_list) == 50
    second = superuser.get(f"/admin/syncjobs/run/{run.pk}/change/?p=2")
    assert [error.message for error in second.context["errors"]][0] == "no. 50"


def test_it_cancels_a_run_once(superuser: Client, connection: Connection) -> None:
    run = make_run(connection)
    superuser.post(f"/admin/syncjobs/run/{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    answer = superuser.post(f"/admin/syncjobs/run/{run.pk}/cancel/")
    told = [str(message) for message in get_messages(answer.wsgi_request)]
    assert told == ["The run had ended already."]


def test_it_cancels_nothing_when_asked_by_get(superuser: Client, connection: Connection) -> None:
    run = make_run(connection)
    superuser.get(f"/admin/syncjobs/run/{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED


def test_it_never_adds_or_deletes_runs(superuser: Client, connection: Connection) -> None:
    run = make_run(connection)
    assert superuser.get("/admin/syncjobs/run/add/").status_code == 403
    assert superuser.post(f"/admin/syncjobs/run/{run.pk}/delete/").status_code == 403


def test_it_knows_no_run_of_another_name(superuser: Client) -> None:
    unknown = "6a3f5ab2-0000-4000-8000-000000000000"
    assert superuser.get(f"/admin/syncjobs/run/{unknown}/change/").status_code == 404
