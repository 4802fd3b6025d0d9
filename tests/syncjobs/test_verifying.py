"""Verify as a run, a command, a page and an API: both sides are read, what differs is kept."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from connections.connectors.hosted import HostedConnector
from connections.models import Connection, SyncedEntity
from syncjobs import dispatch, runner
from syncjobs.models import Difference, Run, SyncJob, Verification
from tests.syncjobs.making import (
    client_store,
    fill,
    make_job,
    make_pair,
    server_store,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("calls", "no_organizations_left"),
]
FIRST, SECOND = (f"00000000-0000-0000-0000-{number:012}" for number in (1, 2))


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    return client


def make_synced(count: int = 4, **more: Any) -> Connection:
    connection = make_pair(**more)
    fill(connection, count)
    runner.work(dispatch.start_sync(connection, reason="test").pk)
    return connection


def verified(connection: Connection, *names: str) -> Run:
    run = dispatch.start_verify(connection, reason="test", entities=names)
    runner.work(run.pk)
    run.refresh_from_db()
    return run


def verify(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error (with the reason of a failure)."""
    out, err = StringIO(), StringIO()
    try:
        call_command("verify", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), err.getvalue() + str(error)
    return 0, out.getvalue(), err.getvalue()


def test_two_equal_sides_are_proved_equal() -> None:
    connection = make_synced(entities=("account", "lead"))
    before = client_store(connection).row_version()
    run = verified(connection)
    assert (run.state, run.message) == ("succeeded", "4 records are equal on both sides.")
    proof = Verification.objects.get(entity__name="account")
    assert (proof.server, proof.client, proof.equal, proof.differences) == (4, 4, 4, 0)
    assert str(proof) == "identical, 4 records"
    assert client_store(connection).row_version() == before
    row = run.entities.get(name="account")
    assert (row.state, row.read, row.unchanged) == ("done", 4, 4)


def test_differences_are_kept_with_fields_and_reasons() -> None:
    connection = make_synced()
    client_store(connection).update("account", FIRST, {"name": "Mine"})
    server_store(connection).delete("account", SECOND)
    run = verified(connection)
    assert run.state == "partly"
    expected = "3 records are equal on both sides; 2 differences in 1 of 1 entities."
    assert run.message == expected.replace("3", "2", 1)
    found = {str(row.client_id): row for row in Difference.objects.all()}
    assert (found[FIRST].kind, found[SECOND].kind) == ("differs", "extra")
    assert found[FIRST].fields == [{"name": "name", "server": "account 1", "client": "Mine"}]
    assert found[FIRST].reason == "It was changed on the client since it was last carried."


def test_the_last_proof_replaces_the_one_before() -> None:
    connection = make_synced()
    client_store(connection).update("account", FIRST, {"name": "Mine"})
    verified(connection)
    client_store(connection).update("account", FIRST, {"name": "account 1"})
    verified(connection)
    assert not Difference.objects.exists()
    assert Verification.objects.get().equal == 4


def test_only_the_entities_asked_for_are_compared() -> None:
    connection = make_synced(entities=("account", "lead"))
    verified(connection, "lead")
    assert Verification.objects.get().entity.name == "lead"


def test_an_entity_that_cannot_be_compared_says_why() -> None:
    connection = make_synced(entities=("account", "lead"))
    SyncedEntity.objects.filter(name="lead").update(problem="Never alone.")
    run = verified(connection)
    assert run.state == "partly"
    assert "1 entities could not be compared: lead: Never alone." in run.message


def test_a_connection_that_is_not_set_up_is_not_verified() -> None:
    connection = make_synced()
    Connection.objects.update(state="failed", problem="No login.")
    run = verified(connection)
    assert (run.state, run.message) == (
        "failed",
        "'field' is not set up. No login. Connect it again, then start the sync.",
    )


def test_another_worker_begins_again() -> None:
    connection = make_synced()
    run = dispatch.start_verify(connection, reason="test")
    run.entities.create(name="account", read=3, unchanged=3)
    runner.work(run.pk)
    assert run.entities.get().read == 4


@pytest.mark.parametrize("verifies", [True, False])
def test_a_job_verifies_afterwards_if_it_is_asked_to(verifies: bool) -> None:
    connection = make_pair()
    fill(connection, 2)
    job = make_job(connection, verifies=verifies)
    runner.work(dispatch.start_sync(connection, reason="job", job=job).pk)
    waiting = Run.objects.filter(kind=Run.Kind.VERIFY, state="queued")
    assert waiting.count() == int(verifies)


def test_the_command_says_that_both_sides_are_equal() -> None:
    make_synced()
    code, out, err = verify("field")
    assert code == 0
    assert out.splitlines()[1].split() == ["account", "4", "4", "4", "0"]
    assert "4 records are equal" in err + out or "Succeeded." in err


def test_the_command_lists_differences_and_exits_with_3() -> None:
    connection = make_synced()
    client_store(connection).update("account", FIRST, {"name": "Mine"})
    code, out, err = verify("field", "--entity", "account")
    assert code == 3
    assert f"account {FIRST} differs. It was changed on the client" in out
    assert "name: account 1 → Mine" in out
    assert "1 differences in 1 of 1 entities" in err


def test_the_command_answers_in_json() -> None:
    connection = make_synced()
    client_store(connection).update("account", FIRST, {"name": "Mine"})
    code, out, _ = verify("field", "--json")
    document = json.loads(out)
    assert code == 3
    (entity,) = document["entities"]
    assert (entity["equal"], entity["differences"], document["status"]) == (3, 1, "Partly")
    assert entity["listed"][0]["fields"][0]["client"] == "Mine"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nobody",), "No connection has the client 'nobody'. Known: field."),
        (("field", "--entity", "lead"), "Not enabled for 'field': lead."),
    ],
)
def test_the_command_refuses_what_is_not_there(arguments: tuple[str, ...], text: str) -> None:
    make_synced()
    code, _, err = verify(*arguments)
    assert code == 2
    assert text in err


def test_the_page_starts_it_and_shows_what_was_found(superuser: Client) -> None:
    connection = make_synced()
    page = f"/admin/connections/connection/{connection.pk}/verification/"
    assert "Press Verify to see whether both sides are equal." in text_of(superuser.get(page))
    client_store(connection).update("account", FIRST, {"name": "Mine"})
    answer = superuser.post(page.replace("verification", "verify"))
    run = Run.objects.get(kind=Run.Kind.VERIFY)
    assert answer["Location"] == f"/admin/syncjobs/run/{run.pk}/change/"
    runner.work(run.pk)
    shown = text_of(superuser.get(page))
    assert FIRST in shown
    assert "It was changed on the client since it was last carried." in shown
    assert "account 1 → Mine" in shown
    grid = text_of(superuser.get(f"/admin/connections/connection/{connection.pk}/change/"))
    assert "1 difference" in grid
    assert "record by record" in text_of(superuser.get(answer["Location"]))


def test_the_page_refuses_an_entity_that_is_not_enabled(superuser: Client) -> None:
    connection = make_synced()
    page = f"/admin/connections/connection/{connection.pk}/verify/"
    answer = superuser.post(page, {"entity": "lead"}, follow=True)
    assert "Not enabled for &#x27;field&#x27;: lead." in text_of(answer)
    assert not Run.objects.filter(kind=Run.Kind.VERIFY).exists()


def test_the_api_starts_it_and_tells_what_was_found(superuser: Client) -> None:
    connection = make_synced()
    client_store(connection).update("account", FIRST, {"name": "Mine"})
    path = "/api/connections/field/"
    answer = superuser.post(f"{path}verify/", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["kind"]) == (202, "Verify")
    runner.work(answer.json()["id"])
    (proof,) = superuser.get(f"{path}verification/").json()["results"]
    assert (proof["entity"], proof["equal"], proof["differences"]) == ("account", 3, 1)
    (difference,) = superuser.get(f"{path}differences/?entity=account").json()["results"]
    assert (difference["kind"], difference["client_id"]) == ("differs", FIRST)
    assert superuser.get(f"{path}differences/?entity=lead").json()["results"] == []
    refused = superuser.post(
        f"{path}verify/", {"entities": ["lead"]}, content_type="application/json"
    )
    assert refused.status_code == 400
    assert "Not enabled" in refused.json()["entities"][0]


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    found: str = answer.content.decode()
    return found


# Buckets: both sides in one database


def test_one_changed_field_is_found_by_reading_its_bucket_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = make_synced(40)
    rows = [(str(uuid4()), f"far {number}") for number in range(200)]
    server_store(connection).load("account", ("accountid", "name"), rows)
    runner.work(dispatch.start_sync(connection, reason="test").pk)
    changed = rows[7][0]
    client_store(connection).update("account", changed, {"name": "Mine"})
    asked: list[int] = []
    fetch = HostedConnector.fetch

    def counted(self: HostedConnector, entity: Any, attributes: Any, ids: Any) -> Any:
        asked.append(len(ids))
        return fetch(self, entity, attributes, ids)

    monkeypatch.setattr(HostedConnector, "fetch", counted)
    run = verified(connection)
    assert run.message.endswith("; 1 differences in 1 of 1 entities.")
    (found,) = Difference.objects.all()
    assert (str(found.client_id), found.kind) == (changed, "differs")
    assert asked == [1, 1]


def test_missing_and_extra_records_are_found_in_buckets() -> None:
    connection = make_synced()
    client_store(connection).delete("account", FIRST)
    client_store(connection).create("account", {"name": "Mine"})
    verified(connection)
    assert set(Difference.objects.values_list("kind", flat=True)) == {"missing", "extra"}


def test_the_filter_counts_in_buckets() -> None:
    connection = make_synced()
    SyncedEntity.objects.update(
        filter_xml='<fetch><entity name="account"><filter><condition attribute="name" '
        'operator="eq" value="account 1"/></filter></entity></fetch>'
    )
    verified(connection)
    proof = Verification.objects.get()
    assert (proof.server, proof.client, proof.equal, proof.differences) == (1, 4, 1, 3)


# Budget, step and quickly


def test_a_budget_that_is_used_up_leaves_the_rest_for_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = make_synced(entities=("account", "lead", "contact"))
    sent = iter(range(0, 1000, 10))
    monkeypatch.setattr(HostedConnector, "requests_sent", lambda self: next(sent))
    connection.verify_requests = 25
    connection.save()
    run = verified(connection)
    assert run.state == "partly"
    assert run.message.endswith(
        "; not finished, 2 of 3 entities: The budget of 25 requests is used up."
    )
    first = set(Verification.objects.values_list("entity__name", flat=True))
    verified(connection)
    assert Verification.objects.count() == 3
    oldest = Verification.objects.earliest("at")
    assert oldest.entity.name in first


def test_the_command_takes_a_budget_and_quick() -> None:
    make_synced()
    assert verify("field", "--quick", "--budget", "5")[0] == 0
    run = Run.objects.filter(kind=Run.Kind.VERIFY).first()
    assert run is not None
    assert run.options == {"entities": [], "quick": True, "budget": 5}
    code, _, told = verify("field", "--budget", "0")
    assert (code, told) == (2, "--budget is 0; it must be 1 or more.")


def test_a_job_can_verify(superuser: Client) -> None:
    connection = make_synced()
    job = make_job(connection, step=SyncJob.Step.VERIFY)
    answer = superuser.post(f"/api/jobs/{job.pk}/run/", content_type="application/json")
    assert answer.json()["kind"] == "Verify"
    runner.work(UUID(answer.json()["id"]))
    assert Verification.objects.get().equal == 4
    assert Run.objects.get(pk=answer.json()["id"]).job == job


def test_the_page_starts_it_quickly_and_says_what_stood_for_values(superuser: Client) -> None:
    connection = make_synced()
    superuser.post(f"/admin/connections/connection/{connection.pk}/verify/", {"quick": "1"})
    run = Run.objects.get(kind=Run.Kind.VERIFY)
    assert run.options["quick"] is True
    runner.work(run.pk)
    proof = Verification.objects.get()
    assert not proof.is_quick
    Verification.objects.update(read=1)
    page = f"/admin/connections/connection/{connection.pk}/verification/"
    assert "by versions" in superuser.get(page).content.decode()
    proof.refresh_from_db()
    assert str(proof) == "identical, 4 records (by versions, 1 read)"
