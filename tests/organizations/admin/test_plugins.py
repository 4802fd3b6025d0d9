"""The Plugins page of a twin, tab by tab."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from organizations.catalog import Catalog
from organizations.dynamics import plugins
from organizations.dynamics.tracking import ENTITY
from organizations.models import Organization, TwinTracking
from tests.organizations.dynamics.office import make_office


@pytest.fixture
def twin(db: None) -> Organization:
    return make_office()


def address(organization: Organization, part: str = "relationships") -> str:
    found = reverse("admin:organizations_organization_plugins", args=[organization.pk])
    return f"{found}?part={part}"


def shown(browser: Client, twin: Organization, part: str) -> str:
    return browser.get(address(twin, part)).content.decode()


def test_it_has_the_three_tabs_and_what_each_can_track(browser: Client, twin: Organization) -> None:
    page = shown(browser, twin, "relationships")
    for text in ("N:N Relationships", ">Delete", ">Owner", "person_tag", "person · tag"):
        assert text in page
    assert 'value="letter"' in shown(browser, twin, "deletes")
    owners = shown(browser, twin, "owners")
    assert 'value="firm"' in owners
    assert 'value="letter"' not in owners
    assert "checked" not in owners


def test_saving_a_tab_tracks_what_is_chosen_there(browser: Client, twin: Organization) -> None:
    for part, chosen in (
        ("relationships", "person_tag"),
        ("deletes", "person"),
        ("owners", "firm"),
    ):
        response = browser.post(address(twin, part), {"chosen": [chosen]}, follow=True)
        assert "the next Sync All compares once all ids" in response.content.decode()
    tracked = TwinTracking.objects.get(organization=twin)
    assert (tracked.relationships, tracked.deletes, tracked.owners) == (
        ["person_tag"],
        ["person"],
        ["firm"],
    )
    assert Catalog(twin).enabled(ENTITY)
    assert "checked" in shown(browser, twin, "owners")


def test_a_tab_without_a_mark_tracks_nothing_there(browser: Client, twin: Organization) -> None:
    plugins.track(twin, "deletes", ["person"])
    browser.post(address(twin, "deletes"), {})
    assert plugins.tracked(twin).deletes == []


def test_the_same_again_says_that_nothing_changed(browser: Client, twin: Organization) -> None:
    plugins.track(twin, "deletes", ["person"])
    response = browser.post(address(twin, "deletes"), {"chosen": ["person"]}, follow=True)
    assert "Nothing was changed." in response.content.decode()


def test_what_cannot_be_tracked_is_refused(browser: Client, twin: Organization) -> None:
    response = browser.post(address(twin, "owners"), {"chosen": ["tag"]}, follow=True)
    assert "Owner: tag cannot be tracked. Choose from the list." in response.content.decode()
    assert not TwinTracking.objects.exists()


def test_only_a_twin_has_plugins(browser: Client, organization: Organization) -> None:
    assert browser.get(address(organization)).status_code == 404


def test_who_may_only_look_cannot_save(twin: Organization) -> None:
    user = User.objects.create_user("eye", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_organization"))
    browser = Client()
    browser.force_login(user)
    page = browser.get(address(twin, "deletes"))
    assert page.status_code == 200
    assert "disabled" in page.content.decode()
    assert browser.post(address(twin, "deletes"), {"chosen": ["person"]}).status_code == 403
