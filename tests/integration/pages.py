"""Pages as a browser without JavaScript gets them."""

from __future__ import annotations

from django.test import Client


def page(browser: Client, address: str, **headers: str) -> str:
    """Return the text of a page that is fine."""
    response = browser.get(address, headers=headers)
    assert response.status_code == 200, address
    return response.content.decode()
