"""SyncAsync: who may start it, what it takes, what it answers."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from lxml import etree

from syncjobs.models import Run
from tests.syncjobs.making import basic, make_connection, make_member, make_organization

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/rest/v1/sync/field/SyncAsync"


def make_three_users() -> None:
    """ann runs the client, bob is a member of it, carl runs another organization."""
    client = make_connection("field", entities=("account", "lead")).client.organization
    assert client is not None
    make_member(client, "ann@example.com")
    make_member(client, "bob@example.com", is_administrator=False)
    make_member(make_organization("other"), "carl@example.com")


def post(
    content: str | bytes = b"",
    *,
    user: str = "ann@example.com",
    content_type: str = "application/xml",
    **headers: str,
) -> HttpResponse:
    response: Any = Client().post(
        PATH, content, content_type=content_type, headers={**basic(user), **headers}
    )
    return response  # type: ignore[no-any-return]


def xml(response: Any) -> dict[str, str]:
    root = etree.fromstring(response.content)
    return {"": str(root.tag), **{str(child.tag): child.text or "" for child in root}}


def test_it_starts_a_sync_of_everything(calls: list[str]) -> None:
    make_three_users()
    response = post()
    run = Run.objects.get()
    assert response.status_code == 202
    assert response["Location"] == f"http://testserver/rest/v1/sync/field/jobs/{run.pk}"
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    assert xml(response) == {"": "SyncResponse", "JobID": str(run.pk), "Status": "Queued"}
    assert (run.kind, run.reason, run.actor) == ("Sync", "web service", "ann@example.com")
    assert run.options == {"entities": [], "dry_run": False, "full": False}
    assert calls == [str(run.pk)]


def test_it_answers_in_json_when_asked() -> None:
    make_three_users()
    response = post(Accept="application/json")
    assert response.status_code == 202
    run = Run.objects.get()
    assert response["Content-Type"] == "application/json"
    assert response.content == b'{"job_id":"%s","status":"Queued"}' % str(run.pk).encode()


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        ('<SyncRequest><Entities><Entity Name="lead"/></Entities></SyncRequest>', "text/xml"),
        ("<SyncRequest><Entities><string>lead</string></Entities></SyncRequest>", "text/xml"),
        ("<SyncRequest><Other/><Entities> lead; </Entities></SyncRequest>", "application/xml"),
        (
            '<s:SyncRequest xmlns:s="urn:x"><s:Entities><s:Entity Name="lead"/></s:Entities>'
            "<s:DryRun>false</s:DryRun></s:SyncRequest>",
            "application/xml",
        ),
        ('{"Entities": ["lead"]}', "application/json"),
        ('{"Entities": [{"Name": "lead"}]}', "application/json"),
        ('{"SyncRequest": {"Entities": "lead"}}', "application/json"),
    ],
)
def test_it_takes_the_entities_in_every_form(content: str, content_type: str) -> None:
    make_three_users()
    assert post(content, content_type=content_type).status_code == 202
    assert Run.objects.get().options["entities"] == ["lead"]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        ("<SyncRequest><DryRun>true</DryRun></SyncRequest>", "application/xml"),
        ("<SyncRequest><DryRun> 1 </DryRun></SyncRequest>", "application/xml"),
        ('{"DryRun": true}', "application/json"),
    ],
)
def test_it_takes_a_dry_run(content: str, content_type: str) -> None:
    make_three_users()
    post(content, content_type=content_type)
    assert Run.objects.get().options["dry_run"] is True


@pytest.mark.parametrize(
    ("content", "content_type", "detail", "text"),
    [
        ("<ConnectRequest/>", "text/xml", "SyncRequest", "must be 'SyncRequest'"),
        ("<SyncRequest><DryRun>maybe</DryRun></SyncRequest>", "text/xml", "DryRun", "true or"),
        ("<SyncRequest><DryRun/><DryRun/></SyncRequest>", "text/xml", "DryRun", "more than once"),
        (
            "<SyncRequest><Entities>account;nothing</Entities></SyncRequest>",
            "text/xml",
            "Entities",
            "Not enabled for 'field': nothing",
        ),
        ("<!DOCTYPE SyncRequest><SyncRequest/>", "text/xml", "DOCTYPE", "DOCTYPE"),
        ("<SyncRequest>", "text/xml", "", "not well-formed"),
        ('{"Entities": 5}', "application/json", "Entities", "logical names"),
        ('{"Entities": [5]}', "application/json", "Entities", "logical names"),
        ('{"DryRun": 5}', "application/json", "DryRun", "true or false"),
        ('{"SyncRequest": []}', "application/json", "SyncRequest", "must be an object"),
        ("[]", "application/json", "", "must be a JSON object"),
    ],
)
def test_it_names_the_faulty_element(
    content: str, content_type: str, detail: str, text: str
) -> None:
    make_three_users()
    response = post(content, content_type=content_type, Accept="application/xml")
    fault = xml(response)
    assert (response.status_code, fault[""], fault["Detail"]) == (400, "Fault", detail)
    assert text in fault["Reason"]
    assert not Run.objects.exists()


def test_it_answers_faults_in_json() -> None:
    make_three_users()
    response = post('{"DryRun": 5}', content_type="application/json")
    assert response.status_code == 400
    assert response.content == (
        b'{"code":"InvalidRequest","reason":"\'DryRun\' must be true or false.","detail":"DryRun"}'
    )


@pytest.mark.parametrize(
    ("user", "status", "code"),
    [
        ("ann@example.com", 202, None),
        ("bob@example.com", 403, "Forbidden"),
        ("carl@example.com", 401, "Unauthorized"),
        ("nobody@example.com", 401, "Unauthorized"),
    ],
)
def test_it_lets_only_the_clients_administrator_in(
    user: str, status: int, code: str | None
) -> None:
    make_three_users()
    response = post(user=user)
    assert response.status_code == status
    assert Run.objects.exists() is (status == 202)
    assert xml(response).get("Code") == code
    if status == 401:
        assert response["WWW-Authenticate"].startswith("Basic ")


def test_it_gives_unknown_clients_the_answer_of_wrong_passwords() -> None:
    make_three_users()
    known = post(user="carl@example.com")
    unknown = Client().post("/rest/v1/sync/nowhere/SyncAsync", headers=basic("carl@example.com"))
    assert unknown.status_code == known.status_code == 401
    assert unknown.content == known.content


@pytest.mark.parametrize(
    "header", ["", "Bearer x", "Basic", "Basic %%%", "Basic bm9jb2xvbg==", "Basic /w=="]
)
def test_it_asks_for_basic_authentication(header: str) -> None:
    make_three_users()
    response = Client().post(PATH, headers={"Authorization": header})
    assert response.status_code == 401
    assert "Basic" in response["WWW-Authenticate"]


def test_it_says_when_the_client_is_not_connected() -> None:
    make_member(make_organization("field"), "ann@example.com")
    response = post()
    assert response.status_code == 404
    assert xml(response)["Code"] == "NotConnected"


def test_it_closes_the_door_after_many_wrong_passwords() -> None:
    make_three_users()
    answers = [
        Client().post(PATH, headers=basic("ann@example.com", f"wrong {n}")) for n in range(25)
    ]
    last = answers[-1]
    assert answers[0].status_code == 401
    assert last.status_code == 429
    assert int(last["Retry-After"]) > 0
    assert "Wait" in xml(last)["Reason"]


def test_it_takes_only_post() -> None:
    response: Any = Client().get(PATH)
    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert xml(response)["Code"] == "MethodNotAllowed"
