"""What the browser tests share: Chromium, a page, an administrator, a worker, a twin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from organizations.samples.twins import Twin, make_twin
from tests.browser import chromium
from tests.browser.worker import Worker

PASSWORD = "a long enough phrase"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, started once; it must end with this package, see `chromium.started`."""
    chromium.require()
    with chromium.started() as running:
        yield running


@pytest.fixture
def base(transactional_db: None, live_server: LiveServer, settings: Settings) -> str:
    """The address of the running product."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.RESCO_SYNC_REGISTRATION = "open"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    return live_server.url.replace("localhost", "127.0.0.1")


@pytest.fixture
def page(browser: Browser, base: str) -> Iterator[Page]:
    """A page of its own."""
    with chromium.opened(browser, base) as opened:
        yield opened


@pytest.fixture
def admin_page(page: Page) -> Page:
    """The page, signed in as a superuser through the form."""
    sign_in(page)
    return page


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Worker]:
    """A worker that carries out what the pages start."""
    with Worker() as working:
        yield working


@pytest.fixture
def twin(base: str) -> Twin:
    """A Dynamics organization with a few records."""
    return make_twin(
        "contoso", records=60, seed=7, email="admin@contoso.example", password=PASSWORD
    )


def sign_in(page: Page) -> None:
    """Make an administrator and sign in."""
    User.objects.create_superuser("admin", password=PASSWORD)
    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Overview").wait_for()
