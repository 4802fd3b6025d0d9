"""The services of an organization: what a copy button copies."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser import looks
from tests.syncjobs.making import make_organization


def test_a_button_copies_an_address_or_a_line(admin_page: Page) -> None:
    page = admin_page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    organization = make_organization("field")
    page.goto(f"/admin/organizations/organization/{organization.pk}/services/")
    button = page.locator("button[data-copies=url-3]")
    button.click()
    expect(button).to_have_text("Copied")
    assert copied(page).endswith("/odata/v4/field/")
    expect(button).to_have_text("Copy")
    page.locator("button[data-copies=line-1]").click()
    assert copied(page).startswith("curl --fail --user user@example.com")
    assert page.evaluate(looks.PALE) == []


def test_without_a_clipboard_the_text_is_selected(admin_page: Page) -> None:
    page = admin_page
    organization = make_organization("field")
    page.goto(f"/admin/organizations/organization/{organization.pk}/services/")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    button = page.locator("button[data-copies=url-1]")
    button.click()
    expect(button).to_have_text("Press Ctrl+C")
    assert str(page.evaluate("getSelection().toString()")).endswith("/rest/v1/data/field")


def copied(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))
