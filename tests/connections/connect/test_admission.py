"""Who may connect: administrators, and those who may register a new client."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from connections.connect import admission
from connections.connect.clients import NewClient, Wished
from connections.connect.errors import ClientRefused, RegistrationClosed
from connections.connect.request import Registration
from organizations.catalog import create_organization
from organizations.errors import InvalidRequest
from organizations.members import add_member
from organizations.models import Organization
from organizations.throttle import Throttled

pytestmark = pytest.mark.django_db
EMAIL, PASSWORD = "admin@field.example", "a long enough phrase"
PERSON = Registration(email=EMAIL, first_name="Given", company="Field", country="SK")


@pytest.fixture(autouse=True)
def _open(settings: Settings) -> None:
    settings.RESCO_SYNC_REGISTRATION = "open"
    settings.RESCO_SYNC_REGISTRATION_KEY = ""


def admit(
    name: str = "field",
    email: str = EMAIL,
    password: str = PASSWORD,
    registration: Registration | None = PERSON,
) -> Wished:
    return admission.admit(name, email, password, "192.0.2.1", registration)


def make_client(*, is_administrator: bool = True, kind: str = "client") -> Organization:
    organization = create_organization("field", kind)
    add_member(organization, EMAIL, PASSWORD, is_administrator=is_administrator)
    return organization


def with_key(key: str) -> Registration:
    return Registration(email=EMAIL, key=key)


@pytest.mark.parametrize("registration", [None, PERSON])
def test_an_administrator_is_admitted_to_the_client(registration: Registration | None) -> None:
    organization = make_client()
    assert admit(registration=registration) == organization


def test_a_new_client_is_to_be_made_with_the_person_s_details() -> None:
    found = admit()
    assert isinstance(found, NewClient)
    assert (found.name, found.email, found.password) == ("field", EMAIL, PASSWORD)
    assert found.person["first_name"] == "Given"
    assert found.person["country"] == "SK"
    assert not Organization.objects.exists()


def test_wrong_unknown_and_powerless_get_one_answer() -> None:
    make_client(is_administrator=False)
    answers = set()
    for case in (
        {"password": "wrong"},
        {"email": "other@field.example"},
        {},
        {"name": "nobody", "registration": None},
    ):
        with pytest.raises(ClientRefused) as raised:
            admit(**case)
        answers.add((str(raised.value), raised.value.element))
    assert len(answers) == 1


def test_a_twin_s_name_is_taken_and_its_members_are_nobody_here() -> None:
    make_client(kind=Organization.Kind.DYNAMICS_TWIN)
    with pytest.raises(ClientRefused):
        admit()


def test_a_closed_installation_takes_nobody(settings: Settings) -> None:
    settings.RESCO_SYNC_REGISTRATION = "closed"
    with pytest.raises(RegistrationClosed, match="does not take new organizations. Ask its admin"):
        admit()


def test_a_closed_installation_still_admits_its_administrators(settings: Settings) -> None:
    settings.RESCO_SYNC_REGISTRATION = "closed"
    organization = make_client()
    assert admit() == organization


@pytest.mark.parametrize("key", ["", "wrong", "OPEN SESAME"])
def test_an_invitation_needs_the_key(settings: Settings, key: str) -> None:
    settings.RESCO_SYNC_REGISTRATION = "invite"
    settings.RESCO_SYNC_REGISTRATION_KEY = "open sesame"
    with pytest.raises(RegistrationClosed, match="need the registration key") as raised:
        admit(registration=with_key(key))
    assert raised.value.element == "RegistrationInfo"
    assert isinstance(admit(registration=with_key("open sesame")), NewClient)


def test_without_a_set_key_it_follows_from_the_secret_key(settings: Settings) -> None:
    settings.RESCO_SYNC_REGISTRATION = "invite"
    key = admission.registration_key()
    assert len(key) == 24
    assert admission.registration_key() == admission.invitation() == key
    assert isinstance(admit(registration=with_key(key)), NewClient)
    with pytest.raises(RegistrationClosed):
        admit(registration=with_key(""))
    settings.SECRET_KEY = "another-secret-key-that-is-long-enough-to-be-taken-123"
    assert admission.registration_key() != key


@pytest.mark.parametrize("policy", ["open", "closed"])
def test_there_is_no_invitation_where_none_is_needed(settings: Settings, policy: str) -> None:
    settings.RESCO_SYNC_REGISTRATION = policy
    assert admission.invitation() == ""


@pytest.mark.parametrize(
    ("changes", "element", "message"),
    [
        ({"name": "a"}, "ClientOrganization", "2 to 40 lower-case"),
        ({"name": "admin"}, "ClientOrganization", "reserved"),
        ({"email": "nobody"}, "Email", "new administrator: 'nobody' is not an e-mail"),
        ({"password": "123"}, "Authorization", "new administrator: This password is too short"),
    ],
)
def test_a_new_client_has_a_usable_name_and_administrator(
    changes: dict[str, Any], element: str, message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message) as raised:
        admit(**changes)
    assert raised.value.element == element


@pytest.mark.parametrize(
    ("kind", "same"),
    [
        ("address", ("client-{}", "192.0.2.1", "https://{}.example.com")),
        ("name", ("field", "192.0.2.{}", "https://{}.example.com")),
        ("target", ("client-{}", "192.0.2.{}", "https://SERVER.example.com:{}/x")),
    ],
)
def test_requests_are_limited_by_address_name_and_target(
    monkeypatch: pytest.MonkeyPatch, kind: str, same: tuple[str, str, str]
) -> None:
    monkeypatch.setitem(admission.LIMITS, kind, 2)
    for number in (1, 2):
        admission.attempt(*(part.format(number) for part in same))
    with pytest.raises(Throttled, match="Too many attempts. Try again in"):
        admission.attempt(*(part.format(3) for part in same))
    admission.attempt("elsewhere", "198.51.100.1", "https://other.example.org")
