"""Connect New Organization in a browser: consent, errors beside their fields, the job's page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from connections.models import Connection
from organizations.models import Member
from organizations.samples.twins import Twin
from tests.browser.conftest import PASSWORD
from tests.browser.worker import Worker

WRONG = (
    ("organization", "No Spaces", "lower-case letters"),
    ("confirm_password", "something else", "not the same"),
    ("backend_password", "wrong", "The server refused the login"),
)
URL = "/Register.aspx?otype=connect"


def fill(page: Page, **values: str) -> None:
    """Fill in fields by their names."""
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(value)


def login(base: str, twin: Twin) -> dict[str, str]:
    """Values that are right."""
    return {
        "organization": "northwind",
        "email": "new@northwind.example",
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "url": f"{base}{twin.path}",
        "username": twin.client_id,
        "backend_password": twin.secret,
    }


def test_it_registers_an_organization_and_shows_its_job(
    page: Page, base: str, twin: Twin, worker: Worker
) -> None:
    page.goto(URL)
    button = page.get_by_role("button", name="Connect")
    expect(button).to_be_disabled()
    fill(page, **login(base, twin), company="Northwind Traders")
    page.get_by_label("I consent").check()
    expect(button).to_be_enabled()
    button.press("Enter")
    expect(page.get_by_role("heading", name="Connecting northwind")).to_be_visible()
    page.evaluate("window.neverLoadedAgain = true")
    expect(page.locator("#state")).to_have_text("Succeeded")
    assert page.evaluate("window.neverLoadedAgain") is True
    connection = Connection.objects.get(name="northwind")
    assert connection.state == Connection.State.READY
    assert Member.objects.get(organization__name="northwind").email == "new@northwind.example"


def test_it_says_at_the_field_what_is_wrong(page: Page, base: str, twin: Twin) -> None:
    page.goto(URL)
    for field, value, message in WRONG:
        fill(page, **{**login(base, twin), field: value})
        page.get_by_label("I consent").check()
        page.get_by_role("button", name="Connect").click()
        expect(page.locator(f"#{field}-error")).to_contain_text(message)
        expect(page.locator(f"[name={field}]")).to_be_focused()
    assert not Connection.objects.exists()
