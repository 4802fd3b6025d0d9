"""The page of a twin's limits and faults."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from organizations.dynamics.faults_switching import switch_on
from organizations.models import Organization, TwinFault, TwinLimits

Kind = TwinFault.Kind


def make_twin() -> Organization:
    return Organization.objects.create(name="practice", kind=Organization.Kind.DYNAMICS_TWIN)


def address(organization: Organization) -> str:
    return reverse("admin:organizations_organization_faults", args=[organization.pk])


def posted(twin: Organization, browser: Client, **changes: str | list[str]) -> dict[str, object]:
    """Return what the page's form sends, with some of it changed; '' leaves a box clear."""
    context = browser.get(address(twin)).context
    data: dict[str, object] = {}
    for form in (context["limits"], *(line.form for line in context["lines"])):
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                data[bound.html_name] = value
    return {name: value for name, value in {**data, **changes}.items() if value != ""}


def test_it_shows_every_fault_switched_off_and_the_documented_limits(browser: Client) -> None:
    twin = make_twin()
    page = browser.get(address(twin)).content.decode()
    for label in Kind.labels:
        assert label in page
    assert 'value="6000"' in page
    assert page.count("checked") > 1
    assert not TwinFault.objects.exists()


def test_it_saves_limits_and_faults(browser: Client) -> None:
    twin = make_twin()
    changes: dict[str, str | list[str]] = {
        "limits-requests": "600",
        "limits-window_seconds": "30",
        "latency-is_on": "on",
        "latency-milliseconds": "150",
        "dropped-is_on": "on",
        "dropped-probability": "0.25",
        "dropped-count": "7",
        "dropped-requests": ["write"],
    }
    response = browser.post(address(twin), posted(twin, browser, **changes))
    assert response.status_code == 302
    limits = TwinLimits.objects.get(organization=twin)
    assert (limits.requests, limits.window_seconds, limits.concurrent) == (600, 30, 52)
    latency, dropped = (TwinFault.objects.get(kind=kind) for kind in ("latency", "dropped"))
    assert latency.milliseconds == 150
    assert (dropped.probability, dropped.count, dropped.requests) == (0.25, 7, ["write"])
    assert TwinFault.objects.count() == 2


def test_a_fault_that_is_not_changed_goes_on_where_it_is(browser: Client) -> None:
    twin = make_twin()
    switch_on(twin, Kind.DROPPED, {})
    TwinFault.objects.update(seen=5, struck=5)
    browser.post(address(twin), posted(twin, browser, **{"limits-requests": "9"}))
    assert TwinFault.objects.get().seen == 5
    browser.post(address(twin), posted(twin, browser, **{"dropped-seed": "9"}))
    assert TwinFault.objects.get().seen == 0


def test_it_switches_faults_off(browser: Client) -> None:
    twin = make_twin()
    switch_on(twin, Kind.DROPPED, {})
    switch_on(twin, Kind.LATENCY, {})
    browser.post(address(twin), posted(twin, browser, **{"dropped-is_on": ""}))
    assert list(TwinFault.objects.filter(is_on=True).values_list("kind", flat=True)) == ["latency"]
    browser.post(address(twin), {"clear": "1"})
    assert not TwinFault.objects.filter(is_on=True).exists()


def test_it_says_what_is_wrong_and_saves_nothing(browser: Client) -> None:
    twin = make_twin()
    changes = {"dropped-is_on": "on", "dropped-probability": "3", "limits-requests": "0"}
    response = browser.post(address(twin), posted(twin, browser, **changes))
    assert response.status_code == 400
    page = response.content.decode()
    assert "Nothing was saved. Please correct what is marked." in page
    assert "Ensure this value is less than or equal to 1.0." in page
    assert "Ensure this value is greater than or equal to 1." in page
    assert not TwinFault.objects.exists()
    assert not TwinLimits.objects.exists()


def test_other_organizations_have_neither(browser: Client) -> None:
    client = Organization.objects.create(name="client")
    assert browser.get(address(client)).status_code == 404
    twin = browser.get(reverse("admin:organizations_organization_change", args=[make_twin().pk]))
    assert "Limits and Faults" in twin.content.decode()
