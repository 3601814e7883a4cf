"""What a visitor does, waited for."""

from __future__ import annotations

from playwright.sync_api import Locator


def follow(link: Locator) -> None:
    """Click what leads to another page; return when that is there, with its scripts at work.

    Who types sooner types into a page whose scripts do not hear it yet.
    """
    with link.page.expect_navigation():
        link.click()
