"""A client that is hosted elsewhere, connected in a browser by its Url."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from connections.models import Connection, Endpoint
from tests.browser.worker import Worker
from tests.syncjobs.elsewhere import PASSWORD, RESCO_CLOUD, USER, Elsewhere


def fill(page: Page, **values: str) -> None:
    """Fill in fields by their names."""
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(value)


def test_a_client_elsewhere_is_connected_by_its_url(
    admin_page: Page, base: str, worker: Worker
) -> None:
    place, page = Elsewhere.at(base), admin_page
    page.goto("/admin/connections/connection/add/")
    client = {"client": "remote", "email": USER, "client_password": PASSWORD}
    page.locator("[name=provider]").select_option(RESCO_CLOUD)
    server = {"url": f"{base}/rc1", "user_name": USER, "password": PASSWORD}
    for url, message in (("no address", "must be a web address"), (f"{base}/rc2", "")):
        fill(page, client_url=url, **client, **server)
        # A login there is proved, not chosen.
        expect(page.locator("[name=confirm_password]")).to_be_disabled()
        page.get_by_role("button", name="Connect", exact=True).click()
        if message:
            expect(page.locator("#id_client_url_error")).to_contain_text(message)
            expect(page.locator("[name=client_url]")).to_have_value(url)
    expect(page.locator("[data-state=succeeded]").first).to_be_visible()
    connection = Connection.objects.get(name="remote")
    assert connection.state == Connection.State.READY
    assert (connection.client.backend, connection.client.url) == (
        Endpoint.Backend.RESCO_CLOUD,
        f"{base}/rc2",
    )
    page.goto(f"/admin/connections/connection/{connection.pk}/change/")
    expect(page.get_by_role("cell", name="read before").first).to_be_visible()
    assert place.here.catalog.entity("account").attribute("city") is not None
