"""A Chromium of the operating system, and pages that tell what went wrong in them."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

logger = logging.getLogger(__name__)

PATH = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT = 30_000
"""Milliseconds that anything on a page may take before the test fails."""

# The browser's own words for an answer that is no 2xx; a form that is refused is answered 400.
REFUSED = "the server responded with a status of 400"


def require() -> None:
    """Skip without Chromium, saying so; in CI its absence is a failure."""
    if Path(PATH).exists():
        return
    reason = f"There is no Chromium at {PATH}: install it to run the browser tests."
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def started() -> Iterator[Browser]:
    """Run Chromium for the length of the block.

    Playwright keeps an event loop in the thread, in which Django refuses to touch the database
    unless it is told that nothing else happens in that thread.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=TIMEOUT)
        browser = playwright.chromium.launch(executable_path=PATH, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, base: str, *, is_dark: bool = False) -> Iterator[Page]:
    """Open a page of its own; at the end it must have had no error and no blocked content."""
    context = browser.new_context(
        base_url=base,
        viewport={"width": 1400, "height": 900},
        color_scheme="dark" if is_dark else "light",
    )
    context.set_default_timeout(TIMEOUT)
    page = context.new_page()
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and REFUSED not in message.text:
            errors.append(f"{page.url}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
    waiting: set[str] = set()
    page.on("request", lambda request: waiting.add(request.url))
    page.on("response", lambda response: waiting.discard(response.url))
    yield page
    if waiting:  # shown beside a failure, which is often for want of it
        logger.warning("Not answered at the end of the test: %s", sorted(waiting))
    context.close()
    assert errors == []
