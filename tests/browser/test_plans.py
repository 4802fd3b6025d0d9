"""Plans and filters in a browser: looked at first, then carried out."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from connections.models import Connection
from syncjobs import dispatch, runner
from syncjobs.models import Run
from tests.browser import chromium, looks
from tests.browser.conftest import sign_in
from tests.browser.worker import Worker
from tests.syncjobs.making import client_store, fill, make_pair, names, server_store

FILTER = """<fetch><entity name="account"><filter>
<condition attribute="name" operator="not-null"/>
<condition attribute="name" operator="ne" value="account 2"/></filter></entity></fetch>"""


def make_in_step() -> Connection:
    """Two organizations in step, then changed on both sides."""
    connection = make_pair(entities=("account", "contact"))
    fill(connection, 30)
    carry_out(dispatch.start_sync(connection, reason="test"))
    accounts = sorted(names(server_store(connection)))
    server, client = server_store(connection), client_store(connection)
    server.update("account", accounts[0], {"name": "Renamed on the server"})
    server.create("account", {"name": "New on the server"})
    client.update("account", accounts[5], {"name": "Renamed on the client"})
    client.update("account", accounts[6], {"name": "Mine"})
    server.update("account", accounts[6], {"name": "Theirs"})
    return connection


def carry_out(run: Run) -> Run:
    runner.work(run.pk)
    run.refresh_from_db()
    return run


def keep_picture(page: Page, name: str) -> None:
    """Keep a picture where `RESCO_SYNC_PICTURES` says, for whoever wants to look."""
    if folder := os.environ.get("RESCO_SYNC_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_it_shows_a_plan_and_applies_it(admin_page: Page) -> None:
    connection = make_in_step()
    made = carry_out(dispatch.start_sync(connection, dry_run=True, reason="test"))
    admin_page.goto(f"/admin/syncjobs/run/{made.pk}/change/")
    admin_page.get_by_role("link", name="Plan: what it would do").click()
    row = admin_page.locator("#plan tr[data-entity=account]")
    expect(row).to_contain_text("account")
    samples = admin_page.locator("#samples")
    expect(samples).to_contain_text("name: account 1 → Renamed on the server")
    expect(samples).to_contain_text("Delivered to the server: update")
    expect(samples).to_contain_text("New on the server")
    assert admin_page.evaluate(looks.NAMELESS) == []
    keep_picture(admin_page, "plan")
    with Worker():
        admin_page.get_by_role("button", name="Apply this plan").click()
        expect(admin_page.locator("#state")).to_have_text("Succeeded", timeout=20_000)
    admin_page.get_by_role("link", name="a plan").click()
    expect(admin_page.get_by_role("alert")).to_contain_text("The plan was applied already")
    keep_picture(admin_page, "plan_used")


def test_it_says_what_changed_since_the_plan(admin_page: Page) -> None:
    connection = make_in_step()
    made = carry_out(dispatch.start_sync(connection, dry_run=True, reason="test"))
    server_store(connection).create("account", {"name": "One more"})
    admin_page.goto(f"/admin/syncjobs/run/{made.pk}/plan/")
    with Worker():
        admin_page.get_by_role("button", name="Apply this plan").click()
        expect(admin_page.locator("#state")).to_have_text("Failed", timeout=20_000)
    expect(admin_page.locator("#message")).to_contain_text("Something has changed since the plan")
    keep_picture(admin_page, "plan_changed")


def test_a_plan_with_nothing_to_do_says_so(admin_page: Page) -> None:
    connection = make_pair()
    made = carry_out(dispatch.start_sync(connection, dry_run=True, reason="test"))
    admin_page.goto(f"/admin/syncjobs/run/{made.pk}/plan/")
    expect(admin_page.locator("#nothing")).to_contain_text("Nothing to do")
    expect(admin_page.get_by_role("button", name="Apply this plan")).to_have_count(0)
    keep_picture(admin_page, "plan_empty")


def test_it_shows_what_a_filter_changes_before_it_is_saved(admin_page: Page) -> None:
    connection = make_in_step()
    admin_page.goto(f"/admin/connections/connection/{connection.pk}/filter/account/")
    admin_page.get_by_label("FetchXML").fill(FILTER)
    with Worker():
        admin_page.get_by_role("button", name="Save", exact=True).click()
        expect(admin_page.locator("#preview")).to_be_visible(timeout=20_000)
    expect(admin_page.locator("#leaving")).to_contain_text("account 2")
    expect(admin_page.locator("#entering")).to_contain_text("New on the server")
    assert admin_page.evaluate(looks.NAMELESS) == []
    keep_picture(admin_page, "filter")
    admin_page.get_by_role("link", name="Edit").click()
    expect(admin_page.get_by_label("FetchXML")).to_have_value(FILTER_PART)
    admin_page.go_back()
    admin_page.get_by_role("button", name="Save").click()
    expect(admin_page.get_by_text("The filter of account is saved.")).to_be_visible()
    assert "account 2" in connection.entities.get(name="account").filter_xml


FILTER_PART = re.compile("account 2")


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_their_texts_stand_out(browser: Browser, base: str, is_dark: bool) -> None:
    connection = make_in_step()
    made = carry_out(dispatch.start_sync(connection, dry_run=True, reason="test"))
    with chromium.opened(browser, base, is_dark=is_dark) as page:
        sign_in(page)
        page.goto(f"/admin/syncjobs/run/{made.pk}/plan/")
        assert page.evaluate(looks.PALE) == []
        keep_picture(page, f"plan_{'dark' if is_dark else 'light'}")
