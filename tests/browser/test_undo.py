"""Taking a run back in the browser, and asking why a record is as it is."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from syncjobs import dispatch
from syncjobs.models import Run
from tests.browser import looks
from tests.browser.worker import Worker
from tests.syncjobs.making import client_store, fill, make_pair, names, server_store

FILTER = """
<fetch><entity name="account"><filter type="or">
  <condition attribute="name" operator="eq" value="account 1"/>
  <condition attribute="name" operator="begins-with" value="A"/>
</filter></entity></fetch>
"""


def ends(page: Page, state: str) -> None:
    expect(page.locator("#state")).to_have_text(state, timeout=20_000)


def sound(page: Page) -> None:
    """Every control has a name, every text stands out."""
    assert page.evaluate(looks.NAMELESS) == []
    assert page.evaluate(looks.PALE) == []


def test_it_takes_a_run_back_and_explains_what_became_of_a_record(
    admin_page: Page, base: str, worker: Worker
) -> None:
    connection = make_pair()
    fill(connection, 3)
    run = dispatch.start_sync(connection, reason="button")
    admin_page.goto(f"{base}/admin/syncjobs/run/{run.pk}/change/")
    ends(admin_page, "Succeeded")
    kept, gone, _ = sorted(names(client_store(connection)))
    client_store(connection).update("account", kept, {"name": "Mine"}, actor="anna@example.org")
    admin_page.reload()
    admin_page.get_by_role("button", name="Undo…").click()
    ends(admin_page, "Succeeded")
    expect(admin_page.locator("#undo")).to_contain_text("delete")
    expect(admin_page.locator("#undo-skipped")).to_contain_text("It was changed since")
    sound(admin_page)
    admin_page.get_by_role("button", name="Take it back").click()
    ends(admin_page, "Partly")
    assert set(names(client_store(connection))) == {kept}
    admin_page.locator("#errors").get_by_role("link", name=kept).click()
    expect(admin_page.locator("#events")).to_contain_text("Changed on the client by anna")
    expect(admin_page.locator("#fields")).to_contain_text("differs")
    connection.entities.update(filter_xml=FILTER)
    server_store(connection).update("account", gone, {"name": "B"})
    admin_page.get_by_label("Record").fill(f"account {gone}")
    admin_page.get_by_role("button", name="Explain").click()
    expect(admin_page.locator("#verdict")).to_contain_text(
        "Excluded: name eq account 1 is false, it is B; name begins-with A is false, it is B"
    )
    expect(admin_page.locator("#conditions")).to_contain_text("at least one of these")
    expect(admin_page.locator("#summary")).to_have_text(f"Taken back by undo of run {run.pk}.")
    sound(admin_page)
    assert Run.objects.filter(kind=Run.Kind.UNDO).count() == 2
