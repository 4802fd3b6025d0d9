"""The token endpoint, the challenge, and who gets in."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client, override_settings

from organizations import authentication
from organizations.dynamics import tokens
from organizations.models import Application, Organization
from tests.organizations.dynamics.library import HOST, SECRET, make_application, make_member

pytestmark = pytest.mark.django_db
IN_MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


@pytest.fixture(autouse=True)
def own_cache() -> Iterator[None]:
    with override_settings(CACHES=IN_MEMORY):
        cache.clear()
        yield
        cache.clear()


def make_twin(name: str = "tokens") -> Organization:
    return Organization.objects.create(name=name, kind=Organization.Kind.DYNAMICS_TWIN)


def post(name: str = "tokens", path: str = "oauth2/v2.0/token", **form: str) -> HttpResponse:
    return Client().post(f"/dynamics/{name}/{path}", form)  # type: ignore[return-value]


def credentials(twin: Organization, **changes: str) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": str(make_application(twin).pk),
        "client_secret": SECRET,
        "scope": f"{HOST}/dynamics/tokens/.default",
    } | changes


def who(token: str, name: str = "tokens") -> HttpResponse:
    headers = {"Authorization": f"Bearer {token}"}
    return Client().get(  # type: ignore[return-value]
        f"/dynamics/{name}/api/data/v9.2/WhoAmI", headers=headers
    )


def test_an_application_gets_a_token() -> None:
    form = credentials(make_twin())
    response = post(**form)
    granted = json.loads(response.content)
    assert response["Cache-Control"] == "no-store, no-cache"
    token = granted.pop("access_token")
    assert granted == {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}
    assert json.loads(who(token).content)["UserId"] == form["client_id"]


def test_a_member_gets_a_token_by_password() -> None:
    member = make_member(make_twin())
    granted = post(
        grant_type="password",
        username="anna@example.org",
        password=SECRET,
        client_id=str(uuid4()),
        scope=f"{HOST}/dynamics/tokens/user_impersonation",
    )
    token = json.loads(granted.content)["access_token"]
    assert json.loads(who(token).content)["UserId"] == str(member.pk)


def test_the_v1_endpoint_takes_a_resource_and_answers_in_texts() -> None:
    form = credentials(make_twin(), resource=f"{HOST}/dynamics/tokens/")
    del form["scope"]
    granted = json.loads(post(path="oauth2/token", **form).content)
    assert granted["expires_in"] == "3599"
    assert int(granted["expires_on"]) - int(granted["not_before"]) == 3599
    assert who(granted["access_token"]).status_code == 200


def test_the_secret_may_come_in_a_basic_header() -> None:
    form = credentials(make_twin())
    pair = f"{form.pop('client_id')}:{form.pop('client_secret').replace(' ', '+')}"
    basic = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    response = Client().post("/dynamics/tokens/oauth2/v2.0/token", form, headers=basic)
    assert response.status_code == 200
    broken = {"Authorization": "Basic ?"}
    assert (
        Client().post("/dynamics/tokens/oauth2/v2.0/token", form, headers=broken).status_code == 401
    )


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": str(uuid4())}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 400, "invalid_request", 900144),
        ({"scope": ""}, 400, "invalid_request", 900144),
        ({"scope": f"{HOST}/user_impersonation"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": ""}, 400, "invalid_request", 900144),
        (
            {"grant_type": "password", "username": "anna@example.org", "password": "x"},
            400,
            "invalid_grant",
            50126,
        ),
    ],
)
def test_refusals_have_entras_shape(
    changes: dict[str, str], status: int, error: str, number: int
) -> None:
    response = post(**credentials(make_twin(), **changes))
    document = json.loads(response.content)
    assert (response.status_code, document["error"]) == (status, error)
    assert document["error_codes"] == [number]
    assert document["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= set(document)


def test_too_many_wrong_secrets_are_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(authentication.LIMITS, "name", 1)
    form = credentials(make_twin(), client_secret="wrong")
    assert post(**form).status_code == 401
    response = post(**form)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


def test_without_a_token_the_challenge_names_the_twins_own_authority() -> None:
    make_twin()
    response = Client().get("/dynamics/tokens/api/data/v9.2/WhoAmI")
    base = f"{HOST}/dynamics/tokens/"
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == (
        f"Bearer authorization_uri={base}oauth2/authorize, resource_id={base}"
    )


def issue(twin: Organization) -> tuple[Application, str]:
    application = make_application(twin)
    return application, tokens.issue(twin, application)


def test_a_token_is_for_one_twin() -> None:
    _, token = issue(make_twin())
    make_twin("other")
    assert who(token).status_code == 200
    assert who(token, "other").status_code == 401


def test_a_token_ends_with_its_secret_its_user_and_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twin = make_twin()
    application, token = issue(twin)
    with monkeypatch.context() as patched:
        patched.setattr(tokens, "LIFETIME_SECONDS", -1)
        assert who(token).status_code == 401
    Application.objects.filter(pk=application.pk).update(is_active=False)
    assert who(token).status_code == 401
    Application.objects.filter(pk=application.pk).update(is_active=True)
    application.set_secret("another")
    application.save()
    assert who(token).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "Zm9v.1abc.signature"])
def test_a_forged_token_is_refused(token: str) -> None:
    make_twin()
    assert who(token).status_code == 401


def test_the_discovery_document_names_the_endpoints() -> None:
    make_twin()
    response = Client().get("/dynamics/tokens/v2.0/.well-known/openid-configuration")
    document: dict[str, Any] = json.loads(response.content)
    assert document["token_endpoint"] == f"{HOST}/dynamics/tokens/oauth2/v2.0/token"


@pytest.mark.parametrize("kind", [None, Organization.Kind.CLIENT])
def test_what_is_not_a_twin_is_404_everywhere(kind: str | None) -> None:
    if kind:
        Organization.objects.create(name="field", kind=kind)
    answers = {
        (
            Client().get("/dynamics/field/api/data/v9.2/WhoAmI").content,
            post("field").content,
            Client().get("/dynamics/field/v2.0/.well-known/openid-configuration").content,
        )
    }
    assert answers == {(b'{"Message": "Not Found"}',) * 3}
    assert post("field").status_code == 404


@pytest.mark.parametrize("version", ["v9.0", "v9.1", "v9.2"])
def test_any_version_9_is_served(version: str) -> None:
    _, token = issue(make_twin())
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/dynamics/tokens/api/data/{version}/RetrieveVersion()"
    response = Client().get(path, headers=headers)
    assert f"api/data/{version}/$metadata".encode() in response.content
