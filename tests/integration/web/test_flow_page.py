"""The page of a flow, over data stored as the ingestor stores it."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from tests.integration.log import NOW_MS, record, write
from tests.integration.web.flows import page, store_declined
from tracing.projections import reading
from tracing.web.address import element_id, event_api_url, flow_url
from tracing.web.flow import present

pytestmark = pytest.mark.django_db
HOSTILE = "</script><a hx-get=/x>/../\"'\n?#%\u202e é"


def test_it_tells_and_draws_the_flow(reader: Client) -> None:
    store_declined()

    text = page(reader, "/flows/o-1")

    assert (
        "Payment failed: card declined, 1.9 s after the stock was reserved; the stock was released."
        in text
    )
    for event in ("placed", "held", "declined", "freed"):
        assert f'id="{element_id("ev", event)}"' in text
    assert text.count('class="card') == 4
    assert "duplicate \N{MULTIPLICATION SIGN}2" in text
    assert 'class="edge back"' in text
    assert "joined by correlation id" in text
    assert 'ws-connect="/live/flow?id=o-1&amp;after=5"' in text


def test_the_key_stands_first(reader: Client) -> None:
    store_declined()
    write(record("keyless", "JobStarted", flow="o-2", key=None))

    with_key, without = page(reader, "/flows/o-1"), page(reader, "/flows/o-2")

    assert "<title>ORD-1 · OrderPlaced · eventviz</title>" in with_key
    assert re.search(r"<h1[^>]*>ORD-1</h1>\s*<span class=\"flow-type[^>]*>OrderPlaced<", with_key)
    assert "<title>JobStarted · eventviz</title>" in without
    assert "flow-type" not in without


@pytest.mark.parametrize(
    ("value", "sentence", "tone"),
    [
        (b"hello plain txt", "This record has no envelope: plain text, 15 bytes.", "ghost"),
        (b'{"some":"json"}', "This record has no envelope: JSON, 15 bytes.", "ghost"),
        (b'{"eventId": broken', "This record could not be read: ", "late"),
    ],
)
def test_a_record_that_names_no_event_waits_for_nothing(
    reader: Client, value: bytes, sentence: str, tone: str
) -> None:
    write(record("none", value=value))

    text = page(reader, flow_url("orders[0]@0"))

    assert sentence in text
    assert "Waiting" not in text
    assert f'class="card {tone}"' in text


def test_commands_events_and_replies_are_told_apart(reader: Client) -> None:
    said = (("message-kind", b"event"), ("Message-Kind", b"reply"))
    write(
        record("placed", "OrderPlaced"),
        record("asked", "ReserveStock", cause="placed"),
        record("held", "StockReserved", cause="asked", headers=said),
        record("told", "StockFailed", cause="asked", headers=said),
        record("work", "stock.work", cause="held", headers=(("message-kind", b"command"),)),
        record("seen", "StockSeen", cause="work", headers=(("message-kind", b"nonsense"),)),
    )

    text = page(reader, flow_url("o-1"))

    kinds = dict(re.findall(r'<path id="(edge-\d)" class="([^"]*)"', text))
    drawn = {}
    for event_id in ("asked", "held", "told", "work", "seen"):
        card = text[text.index(f'<a id="{element_id("ev", event_id)}" class="card') :]
        card = card[: card.index("</a>")]
        (edge,) = re.findall(r'data-edges="([^"]+)"', card)
        (label,) = re.findall(r'aria-label="([^"]+)"', card)
        drawn[event_id] = (kinds[edge].split()[-1], label.split(", ")[3:])
    assert drawn == {
        "asked": ("command", ["command"]),
        "held": ("reply", ["reply"]),
        # That it failed matters more; its line and its label still say what it is.
        "told": ("reply", ["failed", "reply"]),
        "work": ("command", ["command"]),
        "seen": ("edge", ["happened"]),
    }
    asked = page(reader, flow_url("o-1", "work"), htmx=True)
    assert "►</span> command" in asked


def test_an_unknown_flow_is_a_page_that_waits_for_it(reader: Client) -> None:
    text = page(reader, flow_url("who/../ever\n"), status=404)

    assert "Nothing with this id yet" in text
    assert 'ws-connect="/live/flow?id=who%2F..%2Fever%0A"' in text
    for fragment in ("flow-head", "flow-graph", "flow-list"):
        assert f'id="{fragment}"' in text


def test_a_missing_cause_is_not_seen_yet_or_linked_to_its_flow(reader: Client) -> None:
    write(record("effect", flow="here", cause="cause", at_ms=NOW_MS - 5))

    assert "not seen yet" in page(reader, "/flows/here")

    write(record("cause", flow="there", at_ms=NOW_MS - 9))

    assert f'href="{flow_url("there", "cause")}"' in page(reader, "/flows/here")


def test_flows_that_share_a_key_are_linked(reader: Client) -> None:
    store_declined()
    write(record("other", flow="o-2", at_ms=NOW_MS))

    text = page(reader, "/flows/o-1")

    assert "1 related flow" in text
    assert 'href="/flows/o-2"' in text
    assert 'title="Both have the record key ORD-1"' in text


def test_a_related_flow_says_which_field_joins_them(reader: Client) -> None:
    for flow in ("a", "b"):
        write(record(flow, flow=flow, payload={"trip": {"tripId": "T-7"}}, key=None))

    assert 'title="Both have tripId T-7"' in page(reader, "/flows/a")


def test_the_socket_and_the_page_draw_the_same(reader: Client) -> None:
    store_declined()
    detail = reading.read_flow("o-1")
    assert detail is not None

    fragments = present.flow_fragments(detail, now_ms=NOW_MS)

    text = page(reader, "/flows/o-1")
    for fragment in ("flow-head", "flow-graph", "flow-list"):
        assert re.search(rf'id="{fragment}"[^>]* hx-swap-oob="true"', fragments)
    drawn = re.findall(r"<svg class=\"graph\".*?</svg>", fragments, re.S)
    assert drawn == re.findall(r"<svg class=\"graph\".*?</svg>", text, re.S)
    assert fragments.count("hx-swap-oob") == 3


def test_hostile_text_stays_text_everywhere(reader: Client) -> None:
    write(
        record(HOSTILE, HOSTILE + "Failed", flow=HOSTILE, service=HOSTILE, key=HOSTILE.encode(),
               payload={HOSTILE: HOSTILE, "reason": HOSTILE},
               headers=((HOSTILE, HOSTILE.encode()),), at_ms=NOW_MS),
        record("effect", flow=HOSTILE, cause=HOSTILE, at_ms=NOW_MS + 1),
    )  # fmt: skip

    for url in (flow_url(HOSTILE), flow_url(HOSTILE, HOSTILE), flow_url(HOSTILE, "effect")):
        text = page(reader, url)

        assert "<a hx-get" not in text
        assert len(re.findall(r"</script>", text)) == len(re.findall(r"<script", text))
        assert html.escape(HOSTILE) in text
    assert element_id("ev", HOSTILE) in text
    assert f"{event_api_url(HOSTILE)}" in page(reader, flow_url(HOSTILE, HOSTILE))


@pytest.mark.parametrize("flow", ["a\x00b", "x" * 1_000, "..", "~", "/", "a b"])
def test_ids_are_found_as_their_producer_wrote_them(reader: Client, flow: str) -> None:
    write(record("e", flow=flow, at_ms=NOW_MS))

    assert 'data-event="e"' in page(reader, flow_url(flow))


@pytest.mark.slow
def test_a_large_flow_says_how_much_of_it_is_drawn(reader: Client) -> None:
    write(*(record(f"e{number}", at_ms=NOW_MS + number) for number in range(1_200)))

    text = page(reader, "/flows/o-1")

    assert "Showing 500 of 1,200 events" in text
    assert text.count('class="card') == 500
    assert 'data-event="e1100"' in page(reader, flow_url("o-1", "e1100"), htmx=True)


def test_the_page_needs_a_sign_in(client: Client) -> None:
    response = client.get("/flows/o-1")

    assert response.status_code == 302
    assert response["Location"].startswith("/login/")
