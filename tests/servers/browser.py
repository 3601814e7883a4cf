"""Chromium through Playwright's synchronous interface."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

START_MS = 120_000
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str | None:
    """Return the browser of CHROMIUM, else the first one on the path."""
    given = os.environ.get("CHROMIUM")
    found = (shutil.which(name) for name in NAMES)
    return given or next((path for path in found if path), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a headless browser.

    While it runs an event loop belongs to this thread: asynchronous tests and the ORM do not go
    beside it, so a test that wants it asks for nothing but the product's own processes.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=ARGUMENTS, timeout=START_MS
        )
        try:
            yield browser
        finally:
            browser.close()
