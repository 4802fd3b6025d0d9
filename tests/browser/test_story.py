"""The main job in a browser: connect a twin, choose, rehearse, sync, update metadata."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page, expect

from connections.models import Connection, SyncedEntity
from organizations.catalog import Catalog, define
from organizations.models import Organization
from organizations.samples.twins import Twin
from organizations.schema import Label
from organizations.store import Store
from syncjobs.models import Run
from tests.browser.conftest import PASSWORD
from tests.browser.worker import Worker

FILTER = """<fetch><entity name="contact"><filter>
<condition attribute="statecode" operator="eq" value="0"/></filter></entity></fetch>"""
FEW = ("account", "contact", "lead")


def test_it_connects_syncs_and_updates_metadata(
    admin_page: Page, base: str, twin: Twin, worker: Worker
) -> None:
    connect(admin_page, base, twin)
    choose_entities(admin_page)
    set_filter(admin_page)
    rehearse(admin_page)
    sync_and_watch(admin_page, worker)
    compare_counts(admin_page, twin)
    update_metadata(admin_page, twin)


def connect(page: Page, base: str, twin: Twin) -> None:
    """Fill in the dialog, first with a wrong secret; watch the job; open the grid."""
    page.get_by_role("link", name="Connection…").click()
    fill_connect(page, base, twin, secret="wrong")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("The server refused the login")).to_be_visible()
    assert not Connection.objects.exists()
    fill_connect(page, base, twin, secret=twin.secret)
    page.get_by_role("button", name="Connect", exact=True).click()
    ends(page, "Succeeded")
    page.get_by_role("link", name="field ← contoso").first.click()
    expect(page.get_by_role("button", name="Sync All")).to_be_enabled()


def fill_connect(page: Page, base: str, twin: Twin, *, secret: str) -> None:
    client = page.get_by_role("group", name="Resco CRM Login")
    client.get_by_label("Organization").fill("field")
    client.get_by_label("Username (email)").fill("admin@field.example")
    client.get_by_label("Password", exact=True).fill(PASSWORD)
    client.get_by_label("Confirm Password").fill(PASSWORD)
    server = page.get_by_role("group", name="Backend Login")
    server.get_by_label("Type").select_option("Dynamics CRM")
    server.get_by_label("Url").fill(f"{base}{twin.path}")
    server.get_by_label("Username").fill(twin.client_id)
    server.get_by_label("Password").fill(secret)


def choose_entities(page: Page) -> None:
    """Leave three entities enabled, one of them with Sync Deletion; Save counts only changes."""
    save = page.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    everything = page.get_by_label("Enable all entities shown")
    everything.set_checked(True)
    everything.set_checked(False)
    for name in ("Account", "Contact", "Lead"):
        page.get_by_label(f"Enable {name}", exact=True).check()
    page.get_by_label("Sync Deletion of Account").check()
    save.click()
    expect(page.get_by_text("Sync Deletion on: account")).to_be_visible()
    rows = SyncedEntity.objects.filter(enabled=True)
    assert sorted(rows.values_list("name", flat=True)) == sorted(FEW)
    page.get_by_label("Find an entity").fill("acc")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#grid tbody tr")).to_have_count(1)
    page.go_back()


def set_filter(page: Page) -> None:
    """Select a row, open the editor with the keyboard, meet an error, save."""
    page.get_by_role("cell", name="contact", exact=True).last.click()
    page.get_by_role("button", name="Sync Filter").press("Enter")
    editor = page.get_by_label("FetchXML")
    editor.fill(FILTER.replace("statecode", "nope"))
    page.get_by_role("button", name="Save & Close").click()
    expect(page.get_by_role("alert")).to_contain_text("no attribute 'nope'")
    editor.fill(FILTER)
    page.get_by_role("button", name="Save & Close").click()
    expect(page.get_by_text("Inside the filter, on the server")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Sync filter of Contact: set")).to_be_visible()


def rehearse(page: Page) -> None:
    page.get_by_role("button", name="Dry Run").click()
    ends(page, "Succeeded")
    expect(page.get_by_text("dry run: nothing is written")).to_be_visible()
    assert total(page, "Created") > 0
    client = Organization.objects.get(name="field")
    assert not Store(client).page("account", ["accountid"])
    page.get_by_role("link", name="field ← contoso").first.click()


def sync_and_watch(page: Page, worker: Worker) -> None:
    """See counts of one entity while another is under way, on a page that is never loaded again."""
    worker.hold_at("account")
    page.get_by_role("button", name="Sync All").click()
    page.evaluate("window.neverLoadedAgain = true")
    expect(page.locator("tr[data-entity=account]")).to_contain_text("Running")
    expect(page.locator("#totals")).to_contain_text("of 3 done")
    before = page.locator("#totals").inner_text()
    worker.release()
    ends(page, "Succeeded")
    expect(page.locator("#totals")).to_contain_text("3 of 3 done")
    assert page.locator("#totals").inner_text() != before
    assert page.evaluate("window.neverLoadedAgain") is True
    columns = page.locator("#entities thead th").count()
    assert page.locator("#entities tr[data-entity=account] td").count() == columns
    assert page.locator("#totals td").count() == columns
    expect(page.get_by_role("button", name="Cancel the run")).to_have_count(0)


def compare_counts(page: Page, twin: Twin) -> None:
    """The page's counts are what stands on the client."""
    client = Store(Organization.objects.get(name="field"))
    kept = sum(len(client.page(name, [f"{name}id"])) for name in FEW)
    assert total(page, "Created") == kept > 0
    assert len(client.page("contact", ["contactid"])) < twin.counts["contact"]


def update_metadata(page: Page, twin: Twin) -> None:
    """Change a label on the server; preview it, apply it, find it on the client."""
    account = Catalog(twin.organization).entity("account")
    define(twin.organization, [replace(account, label=Label.of({1033: "Customer firm"}))])
    page.get_by_role("link", name="field ← contoso").first.click()
    page.get_by_role("button", name="Update Server").click()
    ends(page, "Succeeded")
    client = Organization.objects.get(name="field")
    expect(page.locator("#plan")).to_contain_text("Customer firm")
    assert Catalog(client).entity("account").label.text() == "Account"
    preview = page.url
    page.get_by_role("button", name="Apply this plan").click()
    expect(page).not_to_have_url(preview)
    ends(page, "Succeeded")
    assert Catalog(client).entity("account").label.text() == "Customer firm"


def ends(page: Page, state: str) -> None:
    """Wait until the run of the page has ended like that."""
    expect(page.locator("#run")).to_have_attribute("data-active", "false")
    expect(page.locator("#state")).to_have_text(state, timeout=2_000)
    assert Run.objects.get(pk=page.url.split("/")[-3]).get_state_display() == state


def total(page: Page, column: str) -> int:
    """Return a number of the last line of the entities table."""
    headings = page.locator("#entities thead th").all_inner_texts()
    cells = page.locator("#totals td").all_inner_texts()
    return int(cells[headings.index(column)].replace(",", ""))
