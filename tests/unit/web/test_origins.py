"""Which Origin header is our own."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from tracing.web.access import is_own_origin


@pytest.mark.parametrize(
    ("origin", "scheme", "host"),
    [
        ("http://127.0.0.1:8000", "http", "127.0.0.1:8000"),
        ("http://example.org", "http", "example.org:80"),
        ("https://example.org", "https", "example.org"),
        ("http://[::1]:8000", "http", "[::1]:8000"),
        ("HTTP://Example.org:8000", "http", "example.org:8000"),
    ],
)
def test_the_same_scheme_host_and_port_are_our_own(origin: str, scheme: str, host: str) -> None:
    assert is_own_origin(origin, scheme=scheme, host=host)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://127.0.0.1:8000",
        "http://127.0.0.1:8001",
        "http://127.0.0.1",
        "http://localhost:8000",
        "http://127.0.0.1:8000.evil.example",
        "http://evil.example/127.0.0.1:8000",
        "http://127.0.0.1:99999",
        "http://[broken",
        "//127.0.0.1:8000",
    ],
)
def test_anything_else_is_foreign(origin: str) -> None:
    assert not is_own_origin(origin, scheme="http", host="127.0.0.1:8000")


def test_an_origin_that_settings_trust_is_ours(settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://eventviz.example.org"]

    assert is_own_origin("https://eventviz.example.org", scheme="http", host="10.0.0.7:8000")
