"""The doors to undo: the run's page, the JSON API, the command; and what Verify says afterwards."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from connections.models import Connection
from syncjobs import dispatch, runner
from syncjobs.models import Difference, Run
from tests.syncjobs.making import client_store, fill, make_pair, names, server_store

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("calls", "no_organizations_left"),
]


def work(run: Run) -> Run:
    runner.work(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED, run.message
    return run


def make_run(count: int = 2) -> Run:
    connection = make_pair()
    fill(connection, count)
    return work(dispatch.start_sync(connection, reason="test"))


def newest(connection: Connection) -> Run:
    return connection.runs.latest("created")


def test_the_run_page_previews_and_takes_back(admin_client: Client) -> None:
    run = make_run()
    page = f"/admin/syncjobs/run/{run.pk}/"
    assert "Undo…" in admin_client.get(f"{page}change/").content.decode()
    admin_client.post(f"{page}undo/")
    shown = work(newest(run.connection))
    preview = admin_client.get(f"/admin/syncjobs/run/{shown.pk}/change/").content.decode()
    assert "What Undo would do" in preview
    digest = shown.result["undo"]["digest"]
    assert f'name="digest" value="{digest}"' in preview
    assert len(names(client_store(run.connection))) == 2
    answer = admin_client.post(f"{page}undo/", {"digest": digest}, follow=True)
    undone = work(newest(run.connection))
    assert answer.redirect_chain[-1][0] == f"/admin/syncjobs/run/{undone.pk}/change/"
    assert names(client_store(run.connection)) == {}


def test_the_page_says_why_it_cannot(admin_client: Client) -> None:
    run = make_run()
    preview = work(_preview(run))
    page = f"/admin/syncjobs/run/{preview.pk}/"
    assert "Undo…" not in admin_client.get(f"{page}change/").content.decode()
    answer = admin_client.post(f"{page}undo/", follow=True)
    assert "The run wrote nothing, because it only looked." in answer.content.decode()
    assert admin_client.get(f"{page}undo/").status_code == 302


def test_only_those_who_start_runs_may_undo(client: Client) -> None:
    run = make_run()
    client.force_login(User.objects.create_user("looker", is_staff=True))
    assert client.post(f"/admin/syncjobs/run/{run.pk}/undo/").status_code == 403
    assert client.post(f"/api/runs/{run.pk}/undo/").status_code == 403
    assert client.get(f"/api/runs/{run.pk}/undo/").status_code == 403
    assert Run.objects.count() == 1


def _preview(run: Run) -> Run:
    call_command("undo", str(run.pk), "--json")
    return newest(run.connection)


def test_the_api_previews_and_takes_back(admin_client: Client) -> None:
    run = make_run()
    url = f"/api/runs/{run.pk}/undo/"
    missing = admin_client.get(url)
    assert missing.status_code == 404
    assert missing.json() == {
        "detail": "There is no plan yet. POST without a digest to preview it."
    }
    started = admin_client.post(url, {}, "application/json")
    assert started.status_code == 202
    work(Run.objects.get(pk=started.json()["id"]))
    plan = admin_client.get(url).json()
    assert plan["counts"] == [
        {"side": "client", "entity": "account", "action": "delete", "count": 2}
    ]
    assert (plan["skips"], plan["already"], plan["breaks"]) == (0, 0, [])
    wrong = admin_client.post(url, {"digest": "nothing"}, "application/json")
    assert wrong.status_code == 400
    assert "There is no plan 'nothing'" in wrong.json()["digest"][0]
    done = admin_client.post(url, {"digest": plan["digest"]}, "application/json")
    assert done.json()["kind"] == "Undo"
    work(Run.objects.get(pk=done.json()["id"]))
    assert names(client_store(run.connection)) == {}
    assert admin_client.get(f"/api/runs/{uuid.uuid4()}/undo/").status_code == 404


def test_the_command_previews_and_takes_back(capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run()
    first = next(iter(names(client_store(run.connection))))
    client_store(run.connection).update("account", first, {"name": "Mine"})
    call_command("undo", str(run.pk))
    told = capsys.readouterr().out
    assert "Preview: 1 account deleted on the client, 1 skipped." in told
    assert f"skipped: account {first} on the client: It was changed since" in told
    digest = told.strip().rpartition("digest: ")[2]
    with pytest.raises(CommandError) as caught:
        call_command("undo", str(run.pk), "--apply", digest, "--json")
    assert caught.value.returncode == 3
    assert orjson.loads(capsys.readouterr().out)["status"] == "Partly"
    assert set(names(client_store(run.connection))) == {first}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([str(uuid.UUID(int=1))], "There is no run 00000000-0000-0000-0000-000000000001."),
        (["--apply", "abc"], "There is no plan 'abc'"),
    ],
)
def test_the_command_refuses_wrong_arguments(given: list[str], text: str) -> None:
    run = make_run()
    with pytest.raises(CommandError, match=text) as caught:
        call_command("undo", *(given if len(given) == 1 else [str(run.pk), *given]))
    assert caught.value.returncode == 2


def reasons(connection: Connection) -> dict[str, Any]:
    runner.work(dispatch.start_verify(connection, reason="test").pk)
    return {str(item.client_id): item.reason for item in Difference.objects.all()}


def test_verify_says_what_was_taken_back() -> None:
    run = make_run(3)
    connection = run.connection
    changed, gone, late = names(client_store(connection))
    work(_applied(run))
    text = f"Taken back by undo of run {run.pk}."
    assert reasons(connection) == dict.fromkeys((changed, gone, late), text)
    server_store(connection).update("account", changed, {"name": "B"})
    server_store(connection).update("account", late, {"name": "C"})
    update = work(dispatch.start_sync(connection, reason="test"))
    assert reasons(connection) == {gone: text}
    server_store(connection).update("account", changed, {"name": "B2"})
    update = work(dispatch.start_sync(connection, reason="test"))
    work(_applied(update))
    again = f"Taken back by undo of run {update.pk}."
    assert reasons(connection) == {gone: text, changed: again}


def _applied(run: Run) -> Run:
    _preview(run)
    digest = newest(run.connection).result["undo"]["digest"]
    call_command("undo", str(run.pk), "--apply", digest)
    return newest(run.connection)
