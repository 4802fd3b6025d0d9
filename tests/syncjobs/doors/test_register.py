"""The public page Connect New Organization, and the page of its job."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from connections.connect import admission
from connections.connectors.base import EntitySummary
from connections.models import Connection, Endpoint
from organizations.models import Member, Organization
from syncjobs.models import Run
from tests.syncjobs import remote
from tests.syncjobs.making import PASSWORD, make_member, make_organization

pytestmark = pytest.mark.django_db
DYNAMICS = "60650fb3-5d8b-45dd-b82e-459f3b019e9a"
PAGE = "/register/"
TAKEN = "This name cannot be used. Choose another one."


@pytest.fixture(autouse=True)
def _far(settings: Settings) -> None:
    """A server that is hosted here, reached as if it were elsewhere."""
    settings.RESCO_SYNC_CONNECTORS = {"dynamics": remote.DOTTED_PATH}
    settings.RESCO_SYNC_REGISTRATION = "open"
    make_organization("far")


@pytest.fixture(autouse=True)
def _entities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server list an entity."""
    listed = [EntitySummary(name="account")]
    monkeypatch.setattr(remote.RemoteConnector, "entities", lambda _: iter(listed))


def fill(**changes: str) -> dict[str, str]:
    return {
        "organization": "field",
        "email": "admin@field.example",
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "first_name": "Given",
        "last_name": "Family",
        "company": "Field",
        "country": "Slovakia",
        "type": DYNAMICS,
        "url": "https://far.example",
        "username": "admin@far.example",
        "backend_password": PASSWORD,
        "consent": "on",
    } | changes


def post(browser: Client, **changes: str) -> HttpResponse:
    return browser.post(PAGE, fill(**changes))  # type: ignore[return-value]


def errors(answer: HttpResponse) -> dict[str, list[str]]:
    found: dict[str, list[str]] = answer.context["form"].errors  # type: ignore[attr-defined]
    return found


def nothing_made() -> bool:
    counts = (Connection, Endpoint, Run, Member)
    return not any(model.objects.exists() for model in counts)


@pytest.mark.parametrize("address", [PAGE, "/Register.aspx?otype=connect"])
def test_it_shows_the_form_of_the_original(client: Client, address: str) -> None:
    answer = client.get(address)
    text = answer.content.decode()
    assert answer.status_code == 200
    for words in ("Login Info", "Detail Info", "Backend Login", "Dynamics CRM", "I consent"):
        assert words in text
    assert "Registration key" not in text
    assert answer.headers["Cache-Control"].startswith("max-age=0, no-cache")


def test_it_makes_the_client_and_goes_on_to_the_job(client: Client) -> None:
    answer = post(client)
    run = Run.objects.get()
    assert answer.status_code == 302, errors(answer)
    assert (run.kind, run.reason, run.actor) == (
        Run.Kind.CONNECT,
        "connect page",
        "admin@field.example",
    )
    member = Member.objects.get()
    assert (member.organization.name, member.first_name) == ("field", "Given")
    assert (member.country, member.is_administrator) == ("Slovakia", True)
    page = client.get(answer.headers["Location"])
    assert b"Connecting field" in page.content
    assert b"/rest/v1/sync/field/SyncAsync" in page.content


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"organization": "No Spaces"}, "organization", "lower-case letters"),
        ({"organization": "admin"}, "organization", "reserved"),
        ({"organization": ""}, "organization", "required"),
        ({"email": "nobody"}, "email", "valid email"),
        ({"password": "123", "confirm_password": "123"}, "password", "too short"),
        ({"confirm_password": "other"}, "confirm_password", "not the same"),
        ({"type": "other"}, "type", "not one of the available choices"),
        ({"url": "ftp://far.example"}, "url", "must be a web address"),
        ({"url": "https://u:p@far.example"}, "url", "must not hold a user name"),
        ({"url": "https://nowhere.example"}, "url", "cannot be reached"),
        ({"username": ""}, "username", "required"),
        ({"backend_password": "wrong"}, "backend_password", "The password is not right"),
        ({"consent": ""}, "consent", "Please consent"),
        ({"company": "x" * 161}, "company", "at most 160"),
    ],
)
def test_it_says_beside_the_field_what_is_wrong_and_makes_nothing(
    client: Client, changes: dict[str, str], field: str, message: str
) -> None:
    answer = post(client, **changes)
    assert answer.status_code == 400
    assert message in errors(answer)[field][0]
    assert b"Nothing was made" in answer.content
    assert nothing_made()


def test_it_never_shows_a_password_again(client: Client) -> None:
    answer = post(client, organization="No Spaces", backend_password="hush-hush-secret")
    assert b"hush-hush-secret" not in answer.content
    assert PASSWORD.encode() not in answer.content


@pytest.mark.parametrize("kind", Organization.Kind.values)
def test_every_taken_name_gets_the_same_answer(client: Client, kind: str) -> None:
    make_member(make_organization("taken", kind), "owner@taken.example")
    answer = post(client, organization="taken")
    assert (answer.status_code, errors(answer)["organization"]) == (400, [TAKEN])
    assert not Connection.objects.exists()


def test_a_closed_installation_shows_no_form(client: Client, settings: Settings) -> None:
    settings.RESCO_SYNC_REGISTRATION = "closed"
    for answer in (client.get(PAGE), post(client)):
        assert answer.status_code == 403
        assert b"does not take new organizations" in answer.content
        assert b"<form" not in answer.content
    assert nothing_made()


def test_an_invitation_asks_for_the_key(client: Client, settings: Settings) -> None:
    settings.RESCO_SYNC_REGISTRATION = "invite"
    assert b"Registration key" in client.get(PAGE).content
    assert "required" in errors(post(client))["key"][0]
    assert "need the registration key" in errors(post(client, key="guess"))["key"][0]
    assert nothing_made()
    assert post(client, key=admission.registration_key()).status_code == 302


def test_too_many_registrations_wait(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(admission.LIMITS, "address", 2)
    assert post(client).status_code == 302
    assert post(client, organization="second").status_code == 302
    answer = post(client, organization="third")
    assert "Too many attempts. Wait" in errors(answer)["__all__"][0]
    assert Connection.objects.count() == 2


def test_the_form_needs_the_token_of_the_page() -> None:
    assert post(Client(enforce_csrf_checks=True)).status_code == 403
    assert nothing_made()


def job_page(client: Client) -> str:
    address: str = post(client).headers["Location"]
    return address


def progress(client: Client, address: str) -> dict[str, Any]:
    answer = client.get(address, headers={"Accept": "application/json"})
    found: dict[str, Any] = answer.json()
    return found


def test_the_job_page_shows_progress(client: Client) -> None:
    address = job_page(client)
    assert progress(client, address) == {
        "state": "queued",
        "label": "Queued",
        "message": "",
        "active": True,
    }
    Run.objects.update(state=Run.State.RUNNING, message="Metadata: 3 of 16 entities.")
    assert progress(client, address)["message"] == "Metadata: 3 of 16 entities."
    assert b"Metadata: 3 of 16 entities." in client.get(address).content


def test_the_job_page_shows_why_it_failed(client: Client) -> None:
    address = job_page(client)
    Run.objects.update(state=Run.State.FAILED, message="Stopped.")
    Connection.objects.update(state=Connection.State.FAILED, problem="The server <b>refused</b>.")
    found = progress(client, address)
    assert (found["state"], found["active"]) == ("failed", False)
    assert found["message"] == "The server <b>refused</b>."
    assert b"The server &lt;b&gt;refused&lt;/b&gt;." in client.get(address).content


def test_the_job_page_is_for_those_who_have_its_address(client: Client) -> None:
    job_page(client)
    run = Run.objects.get()
    for token in (str(run.pk), signing.dumps(str(run.pk), salt="another door"), "x"):
        assert client.get(f"{PAGE}{token}/").status_code == 404
