"""Members of an organization and its recycle bin."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from organizations.admin import recycle_bin
from organizations.members import add_member
from organizations.models import DeletedRecord, Organization
from organizations.store import Store
from tests.organizations.admin.making import make_account

PASSWORD = "Correct-horse-9"
FORM = {"email": "ann@example.com", "password": PASSWORD, "again": PASSWORD}


def place(name: str, *args: object) -> str:
    return reverse(f"admin:organizations_organization_{name}", args=args)


def test_it_adds_a_member(browser: Client, organization: Organization) -> None:
    response = browser.post(place("members", organization.pk), FORM | {"is_administrator": "on"})
    assert response.status_code == 302
    member = organization.members.get()
    assert member.is_administrator
    assert member.check_password(PASSWORD)
    assert "ann@example.com" in browser.get(place("members", organization.pk)).content.decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"email": "ANN@example.com"}, "exists already"),
        ({"email": "no"}, "valid email"),
        ({"email": "bob@example.com", "again": "x"}, "differ"),
        ({"email": "bob@example.com", "password": "password", "again": "password"}, "too common"),
    ],
)
def test_it_adds_no_member_of_wrong_input(
    browser: Client, organization: Organization, changes: dict[str, str], message: str
) -> None:
    add_member(organization, "ann@example.com", PASSWORD)
    response = browser.post(place("members", organization.pk), FORM | changes)
    assert response.status_code == 400
    assert message in response.content.decode()
    assert organization.members.count() == 1


def test_it_resets_a_password(browser: Client, organization: Organization) -> None:
    member = add_member(organization, "ann@example.com", PASSWORD)
    new = "Battery-staple-7"
    there = place("password", organization.pk, member.pk)
    assert "ann@example.com" in browser.get(there).content.decode()
    assert browser.post(there, {"password": "12345678", "again": "12345678"}).status_code == 400
    assert browser.post(there, {"password": new, "again": new}).status_code == 302
    member.refresh_from_db()
    assert member.check_password(new)


def test_it_switches_a_member_off_and_on(browser: Client, organization: Organization) -> None:
    member = add_member(organization, "ann@example.com", PASSWORD)
    there = place("active", organization.pk, member.pk)
    for state in (False, True):
        browser.post(there, {"active": "1" if state else "0"})
        member.refresh_from_db()
        assert member.is_active is state


def test_it_knows_members_of_its_own_only(browser: Client, organization: Organization) -> None:
    other = Organization.objects.create(name="other")
    member = add_member(other, "ann@example.com", PASSWORD)
    assert browser.get(place("password", organization.pk, member.pk)).status_code == 404


def test_it_lets_a_viewer_look_only(organization: Organization) -> None:
    user = User.objects.create_user("viewer", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_organization"))
    client = Client()
    client.force_login(user)
    page = client.get(place("members", organization.pk))
    assert page.status_code == 200
    assert "Add a member" not in page.content.decode()
    assert client.post(place("members", organization.pk), FORM).status_code == 403
    assert client.post(place("restore", organization.pk, 1)).status_code == 403


def test_it_restores_a_deleted_record(browser: Client, organization: Organization) -> None:
    key = make_account(organization, "Alpha")
    Store(organization).delete("account", key, actor="ann@example.com")
    page = browser.get(place("bin", organization.pk)).content.decode()
    assert "Alpha" in page
    assert "ann@example.com" in page
    row = DeletedRecord.objects.get()
    response = browser.post(place("restore", organization.pk, row.pk))
    assert response.headers["Location"] == place("record", organization.pk, "account", key)
    assert Store(organization).get("account", key).values["name"] == "Alpha"
    assert "bin is empty" in browser.get(place("bin", organization.pk)).content.decode()


def test_it_says_why_a_record_is_not_restored(browser: Client, organization: Organization) -> None:
    key = make_account(organization, "Alpha")
    store = Store(organization)
    store.delete("account", key)
    store.create("account", {"name": "Again"}, id=key)
    row = DeletedRecord.objects.get()
    response = browser.post(place("restore", organization.pk, row.pk), follow=True)
    assert "Not restored." in response.content.decode()
    assert store.get("account", key).values["name"] == "Again"


def test_it_restores_nothing_by_a_link(browser: Client, organization: Organization) -> None:
    Store(organization).delete("account", make_account(organization, "Alpha"))
    row = DeletedRecord.objects.get()
    assert browser.get(place("restore", organization.pk, row.pk)).status_code == 302
    assert DeletedRecord.objects.count() == 1
    assert browser.post(place("restore", organization.pk, row.pk + 1)).status_code == 404


def test_it_pages_the_recycle_bin(
    browser: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recycle_bin, "PAGE", 2)
    for name in ("one", "two", "three"):
        Store(organization).delete("account", make_account(organization, name))
    first = browser.get(place("bin", organization.pk), {"entity": "account"})
    assert [line.name for line in first.context["lines"]] == ["three", "two"]
    query = {"entity": "account", "before": first.context["next"]}
    second = browser.get(place("bin", organization.pk), query)
    assert [line.name for line in second.context["lines"]] == ["one"]
    none = browser.get(place("bin", organization.pk), {"entity": str(uuid4())})
    assert "Nothing here" in none.content.decode()
