"""Job status: shapes in XML and JSON, and who may see it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from lxml import etree

from syncjobs.models import Run, RunEntity, RunError
from tests.syncjobs.making import (
    basic,
    make_connection,
    make_member,
    make_organization,
    make_run,
)

pytestmark = pytest.mark.django_db(transaction=True)

CREATED = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def make_finished_run() -> Run:
    connection = make_connection("field")
    assert connection.client.organization is not None
    make_member(connection.client.organization, "ann@example.com")
    run = make_run(
        connection,
        state="partly",
        message="1 entities",
        started=CREATED,
        finished=CREATED,
        options={"entities": [], "dry_run": True},
    )
    Run.objects.update(created=CREATED)
    RunEntity.objects.create(run=run, name="account", state="done", read=5, created=4, rejected=1)
    RunError.objects.create(
        run=run, entity="account", record="0001", code="TooLong", message="name\x01 too long"
    )
    return run


def get(
    run_id: object, *, user: str = "ann@example.com", client: str = "field", **headers: str
) -> Any:
    path = f"/rest/v1/sync/{client}/jobs/{run_id}"
    return Client().get(path, headers={**basic(user), **headers})


def test_it_tells_how_a_job_stands_in_json() -> None:
    run = make_finished_run()
    response = get(run.pk, Accept="application/json")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "id": str(run.pk),
        "kind": "Sync",
        "client": "field",
        "status": "Partly",
        "created": "2026-03-01T12:00:00.123Z",
        "started": "2026-03-01T12:00:00.123Z",
        "finished": "2026-03-01T12:00:00.123Z",
        "dry_run": True,
        "entities": [
            {
                "name": "account",
                "state": "Done",
                "read": 5,
                "created": 4,
                "updated": 0,
                "deleted": 0,
                "unchanged": 0,
                "rejected": 1,
                "pushed": 0,
            }
        ],
        "errors": [
            {
                "entity": "account",
                "record": "0001",
                "code": "TooLong",
                "message": "name\x01 too long",
            }
        ],
        "error_count": 1,
    }


def test_it_tells_the_same_in_xml() -> None:
    run = make_finished_run()
    response = get(run.pk)
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    root = etree.fromstring(response.content)
    assert [child.tag for child in root] == [
        "ID",
        "Kind",
        "Client",
        "Status",
        "Created",
        "Started",
        "Finished",
        "DryRun",
        "Entities",
        "Errors",
        "ErrorCount",
    ]
    assert root.findtext("ID") == str(run.pk)
    assert root.findtext("Created") == "2026-03-01T12:00:00.123Z"
    assert root.findtext("DryRun") == "true"
    assert root.findtext("Entities/Entity/Name") == "account"
    assert root.findtext("Entities/Entity/Created") == "4"
    assert root.findtext("Errors/Error/Message") == "name\ufffd too long"
    assert root.findtext("ErrorCount") == "1"


def test_it_leaves_empty_what_is_not_known_yet() -> None:
    run = make_finished_run()
    Run.objects.update(state="queued", started=None, finished=None)
    assert get(run.pk, Accept="application/json").json()["started"] is None
    root = etree.fromstring(get(run.pk).content)
    assert root.find("Started") is not None
    assert root.findtext("Started") == ""


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("queued", "Queued"),
        ("running", "Running"),
        ("cancelling", "Running"),
        ("succeeded", "Succeeded"),
        ("partly", "Partly"),
        ("failed", "Failed"),
        ("cancelled", "Cancelled"),
    ],
)
def test_it_uses_the_words_of_the_service(state: str, status: str) -> None:
    run = make_finished_run()
    Run.objects.update(state=state)
    assert get(run.pk, Accept="application/json").json()["status"] == status


def test_it_lists_at_most_a_hundred_errors() -> None:
    run = make_finished_run()
    RunError.objects.bulk_create(RunError(run=run, message=f"no {n}") for n in range(120))
    document = get(run.pk, Accept="application/json").json()
    assert (len(document["errors"]), document["error_count"]) == (100, 121)
    assert document["errors"][0]["message"].startswith("name")


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("application/json, */*;q=0.5", True),
        ("application/xml;q=0.9, application/json", True),
        ("text/xml", False),
        ("application/xml, application/json;q=0.5", False),
        ("*/*", False),
        ("image/png", False),
    ],
)
def test_it_answers_in_the_preferred_form(accept: str, is_json: bool) -> None:  # noqa: FBT001
    run = make_finished_run()
    assert get(run.pk, Accept=accept)["Content-Type"].startswith("application/json") is is_json


def test_it_shows_a_run_to_its_own_client_only() -> None:
    run = make_finished_run()
    other = make_connection("other").client.organization
    member = make_organization("third")
    assert other is not None
    make_member(other, "carl@example.com")
    make_member(member, "dora@example.com")
    assert get(run.pk).status_code == 200
    assert get(run.pk, user="carl@example.com").status_code == 401
    assert get(run.pk, user="dora@example.com").status_code == 401
    answer = get(run.pk, user="carl@example.com", client="other")
    assert answer.status_code == 404
    assert etree.fromstring(answer.content).findtext("Detail") == "JobID"


def test_it_answers_404_for_an_unknown_run() -> None:
    make_finished_run()
    assert get(uuid4()).status_code == 404
