"""Every page's frame, strangers' text, search and error pages through Django's client."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.template.loader import render_to_string
from django.test import Client

from tests.integration.log import record, write
from tests.integration.pages import page
from tracing.models import Ingestor

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1) hx-get="/x">'


# Hostile text


@pytest.mark.parametrize("address", ["/flows/", "/tail/", "/flows/?type={0}", "/tail/?text={0}"])
def test_text_of_strangers_is_only_ever_text(demo: Client, address: str) -> None:
    header = (("x", HOSTILE.encode()),)
    write(
        record(
            HOSTILE, HOSTILE, flow=HOSTILE, service=HOSTILE, key=HOSTILE.encode(), headers=header
        ),
        record("x", "PaymentFailed", flow="../..//\n", payload={"reason": HOSTILE}, topic="a<b>"),
    )

    text = page(demo, address.format("%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"))

    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert 'hx-get="/x"' not in text
    assert "&lt;script&gt;alert(1)" in text


def test_no_page_has_inline_style_or_script(demo: Client) -> None:
    write(record("1"))

    for address in ("/flows/", "/tail/", "/search/?q=x", "/login/", "/nothing"):
        text = demo.get(address).content.decode()
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", text), address


def test_ids_of_400_characters_are_bounded_on_the_page(demo: Client) -> None:
    write(record("e" * 400, "T" * 300, flow="c" * 400, key=b"k" * 1_000))

    text = page(demo, "/flows/")
    row = text[
        text.index('<a class="flow-row') : text.index("</a>", text.index('<a class="flow-row'))
    ]

    assert len(max(re.findall(r">([^<]*)<", row), key=len)) <= 200


# Search


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("o-1", "/flows/o-1"),
        (" o-1 ", "/flows/o-1"),
        ("e-2", "/flows/o-1?event=e-2"),
        ("ORD-7", "/flows/o-1"),
    ],
)
def test_one_hit_is_opened(demo: Client, query: str, target: str) -> None:
    write(record("e-1", flow="o-1", key=b"ORD-7"), record("e-2", flow="o-1", key=b"ORD-7"))

    response = demo.get("/search/", {"q": query})

    assert (response.status_code, response["Location"]) == (302, target)


def test_several_hits_are_listed(demo: Client) -> None:
    write(record("e-1", flow="o-1"), record("e-2", flow="o-2"), record("e-1", flow="o-3"))

    assert "2 hits" in page(demo, "/search/?q=e-1")
    assert "3 hits" in page(demo, "/search/?q=ORD-1")


@pytest.mark.parametrize("query", ["", "nothing", "%00", "%3Cscript%3E", "x" * 5_000])
def test_no_hit_says_what_was_looked_for(demo: Client, query: str) -> None:
    text = page(demo, f"/search/?q={query}")

    assert "correlation ids" in text
    assert "record keys" in text
    assert "capital letters" in text


# The frame


def test_the_foot_speaks_for_the_ingestor(demo: Client) -> None:
    Ingestor.objects.create(
        name="one", state="running", cluster="shop-cluster", topics=6, lag=12_400,
        behind_ms=40_000, events_per_s=412, seen_at=datetime.now(UTC),
    )  # fmt: skip

    text = page(demo, "/flows/")

    assert "shop-cluster" in text
    assert "lag 12,400" in text
    assert "Ingest is 40 s behind" in text
    assert 'data-ingest="behind"' in text


def test_the_rail_has_no_dead_links(demo: Client) -> None:
    text = page(demo, "/flows/")

    for target in re.findall(r'class="place" href="([^"]+)"', text):
        assert demo.get(target).status_code == 200


def test_the_error_page_needs_no_database_and_no_request() -> None:
    for name in ("400", "403", "403_csrf", "404", "500"):
        assert "eventviz" in render_to_string(f"{name}.html")


def test_headers_of_every_page_forbid_inline_code_and_frames(demo: Client) -> None:
    response = demo.get("/flows/")

    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
