"""The OpenAPI document is true: answers are what it says, and it lists what there is."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import include, path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from connections.models import Connection
from syncjobs.models import Difference, RunEntity, RunError, Verification
from tests.syncjobs.making import make_connection, make_job, make_run, make_transaction

pytestmark = pytest.mark.django_db(transaction=True)


def make_document() -> dict[str, Any]:
    patterns = [path("api/", include("syncjobs.api.urls"))]
    generator = SchemaGenerator(patterns=patterns)  # type: ignore[no-untyped-call]
    document: dict[str, Any] = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
    return document


def as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type more."""
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: as_json_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


def check(document: dict[str, Any], template: str, answer: Any, method: str = "get") -> None:
    responses = document["paths"][template][method]["responses"]
    schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
    whole = as_json_schema({**schema, "components": document["components"]})
    Draft202012Validator(whole).validate(answer.json())


def test_it_is_made_without_a_warning() -> None:
    with GENERATOR_STATS.silence():
        make_document()
        assert not GENERATOR_STATS


def test_it_lists_every_path_and_how_to_sign_in() -> None:
    document = make_document()
    assert set(document["paths"]) == {
        "/api/alerts/",
        "/api/connections/",
        "/api/connections/{name}/",
        "/api/connections/{name}/deliver/",
        "/api/connections/{name}/sync/",
        "/api/connections/{name}/transactions/",
        "/api/connections/{name}/transactions/causes/",
        "/api/connections/{name}/transactions/retry-all/",
        "/api/connections/{name}/transactions/{id}/",
        "/api/connections/{name}/update-server/",
        "/api/connections/{name}/entities/",
        "/api/connections/{name}/entities/{entity}/",
        "/api/connections/{name}/entities/{entity}/filter-preview/",
        "/api/connections/{name}/held/",
        "/api/connections/{name}/import-file/",
        "/api/connections/{name}/held/{id}/",
        "/api/connections/{name}/recycle-bin/",
        "/api/connections/{name}/recycle-bin/choose/",
        "/api/connections/{name}/names/",
        "/api/connections/{name}/names/{entity}/",
        "/api/connections/{name}/requests/",
        "/api/connections/{name}/readiness/",
        "/api/connections/{name}/verify/",
        "/api/connections/{name}/verification/",
        "/api/connections/{name}/differences/",
        "/api/jobs/",
        "/api/jobs/{id}/",
        "/api/jobs/{id}/run/",
        "/api/runs/",
        "/api/runs/{id}/",
        "/api/runs/{id}/errors/",
        "/api/runs/{id}/cancel/",
        "/api/runs/{id}/plan/",
        "/api/runs/{id}/undo/",
        "/api/connections/{name}/explain/",
    }
    assert set(document["components"]["securitySchemes"]) == {"basicAuth", "cookieAuth"}


def make_difference(connection: Connection) -> None:
    proof = Verification.objects.create(
        entity=connection.entities.get(),
        at=connection.created,
        server=1,
        client=1,
        equal=0,
        differences=1,
    )
    Difference.objects.create(
        verification=proof,
        kind="differs",
        server_id=connection.pk,
        client_id=connection.pk,
        fields=[{"name": "name", "server": "A", "client": None}],
    )


def test_it_says_what_is_answered() -> None:
    connection = make_connection()
    job = make_job(connection)
    run = make_run(connection)
    RunEntity.objects.create(run=run, name="account")
    RunError.objects.create(run=run, message="no")
    make_difference(connection)
    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    document = make_document()
    values = {
        "{name}": "field",
        "{entity}": "account",
        "/jobs/{id}": f"/jobs/{job.pk}",
        "/transactions/{id}": f"/transactions/{make_transaction(connection).pk}",
        "{id}": str(run.pk),
    }
    for template, operations in document["paths"].items():
        if "get" not in operations:
            continue
        address = template
        for name, value in values.items():
            address = address.replace(name, value)
        check(document, template, client.get(address))
    cancel = "/api/runs/{id}/cancel/"
    for status in (200, 409):
        answer = client.post(cancel.replace("{id}", str(run.pk)))
        assert answer.status_code == status
        check(document, cancel, answer, "post")
