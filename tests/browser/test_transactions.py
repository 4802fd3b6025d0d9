"""Offline transactions in a browser: tab, ticks, causes, both sides of a conflict, settings."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from connections.models import Connection
from syncjobs.models import OfflineTransaction
from tests.browser import chromium, looks
from tests.browser.conftest import sign_in
from tests.syncjobs.making import client_store, make_pair, make_transaction

CONFLICT = {
    "base": {"name": "Fabrikam", "telephone1": "1"},
    "server": {"name": "Fabrikam Inc.", "telephone1": None},
    "client": {"name": "Fabrikam GmbH", "telephone1": "2"},
    "server_version": 7,
}


def make_queue() -> Connection:
    """A connection with transactions of every status."""
    connection = make_pair()
    record = client_store(connection).create("account", {"name": "Fabrikam GmbH"}).id
    make_transaction(
        connection,
        client_id=record,
        code="Conflict",
        message="The record was changed on both sides.",
        conflict=CONFLICT,
        actor="ann@field.example",
    )
    for number in range(12):
        make_transaction(connection, message=f"The text is longer than {number + 100} characters.")
    changes = {f"column{number}": [None, number] for number in range(6)}
    make_transaction(connection, status="pending", action="create", changes=changes, code="")
    make_transaction(connection, status="processed", action="delete", changes=None, message="")
    make_transaction(connection, status="archived", action="associate", message="")
    return connection


def at(connection: Connection, page: str) -> str:
    return f"/admin/connections/connection/{connection.pk}/{page}/"


def test_it_leads_from_the_tab_to_a_decision(admin_page: Page) -> None:
    connection = make_queue()
    admin_page.goto(at(connection, "change"))
    admin_page.get_by_role("link", name="Offline Transactions 13").click()
    expect(admin_page.get_by_role("button", name="Set to Pending", exact=True)).to_be_disabled()
    admin_page.get_by_role("link", name="Error 13").click()
    expect(admin_page.locator("#transactions tbody tr")).to_have_count(13)
    admin_page.get_by_role("link", name="Fabrikam GmbH").click()
    admin_page.get_by_label("Server's name").check()
    admin_page.get_by_label("Client's telephone1").check()
    admin_page.get_by_role("button", name="Deliver as chosen").click()
    expect(admin_page.get_by_text("Decided. name: server, telephone1: client.")).to_be_visible()
    row = OfflineTransaction.objects.get(code="Conflict")
    assert (row.status, row.choices) == ("pending", {"name": "server", "telephone1": "client"})


def test_it_ticks_sets_aside_and_retries_a_cause(admin_page: Page) -> None:
    connection = make_queue()
    admin_page.goto(at(connection, "transactions") + "?status=error")
    admin_page.get_by_label("Tick Update account").first.check()
    admin_page.get_by_role("button", name="Set to Archived").click()
    expect(admin_page.get_by_text("1 transaction set to Archived.")).to_be_visible()
    admin_page.locator("#causes").get_by_role("button", name="Retry").click()
    expect(admin_page.get_by_text("transactions set to Pending.")).to_be_visible()
    assert OfflineTransaction.objects.filter(status="archived").count() == 2


def test_it_saves_settings_and_shows_more(admin_page: Page) -> None:
    connection = make_queue()
    admin_page.goto(at(connection, "change"))
    expect(admin_page.get_by_role("link", name="Requests")).not_to_be_visible()
    admin_page.get_by_role("button", name="More").click()
    expect(admin_page.get_by_role("link", name="Make a Rehearsal")).to_be_visible()
    admin_page.get_by_role("link", name="Settings").click()
    admin_page.get_by_label("Client changes").select_option("instant")
    admin_page.get_by_label("Wait at most").fill("0")
    admin_page.get_by_role("button", name="Save").click()
    expect(admin_page.get_by_role("alert")).to_contain_text("greater than or equal to 1")
    admin_page.get_by_label("Wait at most").fill("7")
    admin_page.get_by_role("button", name="Save").click()
    expect(admin_page.get_by_text("The settings are saved.")).to_be_visible()
    connection.refresh_from_db()
    assert (connection.write_mode, connection.reply_seconds) == ("instant", 7)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_its_pages_can_be_read_and_used(browser: Browser, base: str, is_dark: bool) -> None:
    connection = make_queue()
    row = OfflineTransaction.objects.get(code="Conflict")
    pages = ("transactions", f"transactions/{row.pk}", "settings", "rules/account")
    with chromium.opened(browser, base, is_dark=is_dark) as page:
        sign_in(page)
        for name in pages:
            page.goto(at(connection, name))
            assert page.evaluate(looks.PALE) == [], name
            assert page.evaluate(looks.NAMELESS) == [], name


def test_its_ribbon_has_one_row_on_a_small_screen(admin_page: Page) -> None:
    connection = make_queue()
    admin_page.set_viewport_size({"width": 1280, "height": 800})
    admin_page.goto(at(connection, "change"))
    ribbon = admin_page.get_by_role("group", name="Resco CRM Sync")
    tops = ribbon.locator(".rs-group").evaluate_all("all => all.map((one) => one.offsetTop)")
    assert len(set(tops)) == 1
    box = ribbon.bounding_box()
    assert box is not None
    inside = ribbon.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert inside
    assert box["x"] + box["width"] <= 1280
