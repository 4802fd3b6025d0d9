"""Every page, light and dark: no error, no blocked content, a name for every control."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Dialog, Page, expect

from connections.models import Connection
from syncjobs.models import Run, RunEntity, RunError
from tests.browser import chromium, looks
from tests.browser.conftest import sign_in
from tests.browser.worker import Worker
from tests.syncjobs.making import fill, make_job, make_pair, make_run


def make_history(connection: Connection) -> Run:
    """A run with an entity and more errors than one page shows."""
    run = make_run(connection, state=Run.State.PARTLY, message="1 entity: 60 rejected.")
    RunEntity.objects.create(run=run, name="account", state="done", read=60, rejected=60)
    RunError.objects.bulk_create(
        RunError(run=run, entity="account", record=str(number), code="Refused", message="too long")
        for number in range(60)
    )
    return run


def addresses(connection: Connection, run: Run) -> list[str]:
    """The addresses of all pages of the admin."""
    one = f"/admin/connections/connection/{connection.pk}"
    user = User.objects.get()
    client = connection.client.organization
    assert client is not None
    organization = f"/admin/organizations/organization/{client.pk}"
    return [
        "/admin/",
        "/admin/connections/",
        "/admin/connections/connection/",
        "/admin/connections/connection/?q=field&state__exact=ready",
        "/admin/connections/connection/add/",
        f"/admin/connections/connection/add/?client={connection.name}",
        f"{one}/change/",
        f"{one}/change/?q=nothing&only=enabled",
        f"{one}/filter/account/",
        f"{one}/names/",
        f"{one}/names/account/",
        f"{one}/disconnect/",
        "/admin/syncjobs/run/",
        "/admin/syncjobs/run/?state__exact=partly&kind__exact=Sync",
        f"/admin/syncjobs/run/{run.pk}/change/",
        f"/admin/syncjobs/run/{run.pk}/change/?p=2",
        "/admin/syncjobs/syncjob/",
        "/admin/syncjobs/syncjob/add/",
        f"/admin/syncjobs/syncjob/{make_job(connection).pk}/change/",
        "/admin/organizations/organization/",
        f"{organization}/change/",
        f"{organization}/services/",
        "/admin/auth/user/",
        "/admin/auth/user/add/",
        f"/admin/auth/user/{user.pk}/change/",
        f"/admin/auth/user/{user.pk}/password/",
        "/admin/password_change/",
        "/api/docs/",
    ]


def test_it_shows_every_page_without_an_error(admin_page: Page) -> None:
    connection = make_pair()
    for address in addresses(connection, make_history(connection)):
        answer = admin_page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        assert admin_page.evaluate(looks.NAMELESS) == [], address


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_its_texts_stand_out_from_the_ground(browser: Browser, base: str, is_dark: bool) -> None:
    connection = make_pair()
    run = make_history(connection)
    with chromium.opened(browser, base, is_dark=is_dark) as page:
        sign_in(page)
        for address in (
            "/admin/",
            f"/admin/connections/connection/{connection.pk}/change/",
            f"/admin/connections/connection/{connection.pk}/filter/account/",
            f"/admin/syncjobs/run/{run.pk}/change/",
        ):
            page.goto(address)
            assert page.evaluate(looks.PALE) == [], address


def test_it_leafs_through_the_errors_of_a_run(admin_page: Page) -> None:
    run = make_history(make_pair())
    admin_page.goto(f"/admin/syncjobs/run/{run.pk}/change/")
    expect(admin_page.locator("#errors tbody tr")).to_have_count(50)
    admin_page.get_by_role("link", name="next").click()
    expect(admin_page.locator("#errors tbody tr")).to_have_count(10)


def test_it_cancels_a_run_from_its_page(admin_page: Page, worker: Worker) -> None:
    connection = make_pair(entities=("account", "contact"))
    fill(connection, 3)
    worker.hold_at("account")
    admin_page.goto("/admin/")
    admin_page.get_by_role("button", name="Sync All of field").click()
    expect(admin_page.locator("tr[data-entity=account]")).to_contain_text("Running")
    admin_page.get_by_role("button", name="Cancel the run").click()
    expect(admin_page.locator("#state")).to_have_text("Cancelling")
    worker.release()
    expect(admin_page.locator("#state")).to_have_text("Cancelled")
    assert Run.objects.get().state == Run.State.CANCELLED


def test_it_warns_before_unsaved_check_boxes_are_lost(admin_page: Page) -> None:
    connection = make_pair()
    admin_page.goto(f"/admin/connections/connection/{connection.pk}/change/")
    admin_page.get_by_label("Sync Deletion of account").check()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    admin_page.once("dialog", stay)
    admin_page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(admin_page.get_by_label("Sync Deletion of account")).to_be_checked()
    assert asked == ["beforeunload"]
    admin_page.keyboard.press("Control+s")
    expect(admin_page.get_by_text("Sync Deletion on: account")).to_be_visible()
    assert connection.entities.get().sync_deletion


def test_it_shows_only_the_fields_that_a_frequency_has(admin_page: Page) -> None:
    admin_page.goto("/admin/syncjobs/syncjob/add/")
    expect(admin_page.get_by_label("Every")).to_be_visible()
    expect(admin_page.get_by_label("Hour", exact=False).last).not_to_be_visible()
    admin_page.get_by_label("Frequency").select_option("daily")
    expect(admin_page.locator("#id_every")).not_to_be_visible()
    expect(admin_page.locator("#id_hour")).to_be_visible()
