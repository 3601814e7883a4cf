"""The page of a flow, over data stored as the ingestor stores it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from tests.integration.log import NOW_MS, record, write
from tracing.projections import reading
from tracing.web.address import element_id, event_api_url, flow_url
from tracing.web.flow import present

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

HOSTILE = "</script><a hx-get=/x>/../\"'\n?#%\u202e é"
INSPECTOR = {"HX-Request": "true", "HX-Target": "inspector"}


@pytest.fixture
def visitor(client: Client) -> Client:
    """Return a client that is signed in."""
    client.force_login(User.objects.create_user("ada"))
    return client


def page(client: Client, url: str, *, status: int = 200, htmx: bool = False) -> str:
    """Return a page's text, or what htmx gets."""
    response = client.get(url, headers=INSPECTOR if htmx else {})
    assert response.status_code == status
    return response.content.decode()


def store_declined(flow: str = "o-1") -> None:
    """Store an order whose payment is declined."""
    at = NOW_MS - 60_000
    write(
        record("placed", "OrderPlaced", flow=flow, at_ms=at),
        record("held", "StockReserved", flow=flow, cause="placed", topic="stock", at_ms=at + 40),
        record(
            "declined",
            "PaymentFailed",
            flow=flow,
            cause="held",
            topic="payments",
            service="payment",
            payload={"reason": "card_declined", "amount": 12.5},
            headers=(("x", b"1"), ("x", None), ("bin", b"\xff\x00")),
            at_ms=at + 1_940,
        ),
        record(
            "freed", "StockReleased", flow=flow, cause="declined", topic="stock", at_ms=at + 1_990
        ),
        record(
            "freed", "StockReleased", flow=flow, cause="declined", topic="stock", at_ms=at + 1_990
        ),
    )


def test_it_tells_and_draws_the_flow(visitor: Client) -> None:
    store_declined()

    text = page(visitor, "/flows/o-1")

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


def test_the_key_stands_first(visitor: Client) -> None:
    store_declined()
    write(record("keyless", "JobStarted", flow="o-2", key=None))

    with_key, without = page(visitor, "/flows/o-1"), page(visitor, "/flows/o-2")

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
    visitor: Client, value: bytes, sentence: str, tone: str
) -> None:
    write(record("none", value=value))

    text = page(visitor, flow_url("orders[0]@0"))

    assert sentence in text
    assert "Waiting" not in text
    assert f'class="card {tone}"' in text


def test_commands_events_and_replies_are_told_apart(visitor: Client) -> None:
    said = (("message-kind", b"event"), ("Message-Kind", b"reply"))
    write(
        record("placed", "OrderPlaced"),
        record("asked", "ReserveStock", cause="placed"),
        record("held", "StockReserved", cause="asked", headers=said),
        record("told", "StockFailed", cause="asked", headers=said),
        record("work", "stock.work", cause="held", headers=(("message-kind", b"command"),)),
        record("seen", "StockSeen", cause="work", headers=(("message-kind", b"nonsense"),)),
    )

    text = page(visitor, flow_url("o-1"))

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
    asked = page(visitor, flow_url("o-1", "work"), htmx=True)
    assert "►</span> command" in asked


def test_the_failed_event_is_selected_when_none_is_asked_for(visitor: Client) -> None:
    store_declined()

    text = page(visitor, "/flows/o-1")

    assert f'data-default="{element_id("ev", "declined")}"' in text
    assert 'class="inspected" data-event="declined"' in text


def test_every_event_has_an_address(visitor: Client) -> None:
    store_declined()

    text = page(visitor, flow_url("o-1", "held"))

    assert 'class="inspected" data-event="held"' in text
    assert 'class="side open"' in text
    assert "40 ms before" in text
    assert "1.9 s later" in text


def test_htmx_gets_the_inspector_alone(visitor: Client) -> None:
    store_declined()

    response = visitor.get(flow_url("o-1", "declined"), headers=INSPECTOR)
    text = response.content.decode()

    assert text.lstrip().startswith('<div class="inspected" data-event="declined"')
    assert "HX-Request" in response["Vary"]
    assert "payments[0]@0" in text
    assert '<span class="jn">12.5</span>' in text
    assert re.search(r">x</dt><dd><code>1</code>.*>x</dt><dd><span class=\"dim\">null", text, re.S)
    assert "0xff00" in text


def test_the_inspector_has_the_version_of_its_card(visitor: Client) -> None:
    store_declined()

    for event in ("placed", "declined", "freed"):
        text = page(visitor, flow_url("o-1", event))

        inspected = re.search(r'class="inspected" data-event="\w+" data-version="([^"]+)"', text)
        card = re.search(rf'data-event="{event}" data-x[^>]* data-version="([^"]+)"', text)
        assert inspected
        assert card
        assert inspected[1] == card[1]


def test_redeliveries_are_listed_by_their_coordinates(visitor: Client) -> None:
    store_declined()

    assert "stock[0]@2" in page(visitor, flow_url("o-1", "freed"))


def test_copies_of_a_retry_are_attempts_and_no_deliveries(visitor: Client) -> None:
    write(record("e1", at_ms=NOW_MS), record("e1", topic="orders.retry", at_ms=NOW_MS + 1))
    write(record("e1", topic="orders.dlq", at_ms=NOW_MS + 2))
    write(record("e1", headers=(("eventviz-retry-id", b"r-1"),), at_ms=NOW_MS + 3))

    text = " ".join(re.sub(r"<[^>]+>", " ", page(visitor, flow_url("o-1", "e1"))).split())

    assert "Attempts ◐ orders.retry[0]@0 retry topic ✕ orders.dlq[0]@0 dead letter" in text
    assert "↻ orders[0]@1 sent again" in text
    assert "Delivered again" not in text


def test_an_unknown_event_is_said_to_be_unknown(visitor: Client) -> None:
    store_declined()

    assert "No such event here" in page(visitor, flow_url("o-1", "<b>nobody"))


def test_an_unknown_flow_is_a_page_that_waits_for_it(visitor: Client) -> None:
    text = page(visitor, flow_url("who/../ever\n"), status=404)

    assert "Nothing with this id yet" in text
    assert 'ws-connect="/live/flow?id=who%2F..%2Fever%0A"' in text
    for fragment in ("flow-head", "flow-graph", "flow-list"):
        assert f'id="{fragment}"' in text


def test_a_missing_cause_is_not_seen_yet_or_linked_to_its_flow(visitor: Client) -> None:
    write(record("effect", flow="here", cause="cause", at_ms=NOW_MS - 5))

    assert "not seen yet" in page(visitor, "/flows/here")

    write(record("cause", flow="there", at_ms=NOW_MS - 9))

    assert f'href="{flow_url("there", "cause")}"' in page(visitor, "/flows/here")


def test_flows_that_share_a_key_are_linked(visitor: Client) -> None:
    store_declined()
    write(record("other", flow="o-2", at_ms=NOW_MS))

    text = page(visitor, "/flows/o-1")

    assert "1 related flow" in text
    assert 'href="/flows/o-2"' in text
    assert 'title="Both have the record key ORD-1"' in text


def test_a_related_flow_says_which_field_joins_them(visitor: Client) -> None:
    for flow in ("a", "b"):
        write(record(flow, flow=flow, payload={"trip": {"tripId": "T-7"}}, key=None))

    assert 'title="Both have tripId T-7"' in page(visitor, "/flows/a")


def test_the_socket_and_the_page_draw_the_same(visitor: Client) -> None:
    store_declined()
    detail = reading.read_flow("o-1")
    assert detail is not None

    fragments = present.flow_fragments(detail, now_ms=NOW_MS)

    text = page(visitor, "/flows/o-1")
    for fragment in ("flow-head", "flow-graph", "flow-list"):
        assert re.search(rf'id="{fragment}"[^>]* hx-swap-oob="true"', fragments)
    drawn = re.findall(r"<svg class=\"graph\".*?</svg>", fragments, re.S)
    assert drawn == re.findall(r"<svg class=\"graph\".*?</svg>", text, re.S)
    assert fragments.count("hx-swap-oob") == 3


def test_hostile_text_stays_text_everywhere(visitor: Client) -> None:
    write(
        record(HOSTILE, HOSTILE + "Failed", flow=HOSTILE, service=HOSTILE, key=HOSTILE.encode(),
               payload={HOSTILE: HOSTILE, "reason": HOSTILE},
               headers=((HOSTILE, HOSTILE.encode()),), at_ms=NOW_MS),
        record("effect", flow=HOSTILE, cause=HOSTILE, at_ms=NOW_MS + 1),
    )  # fmt: skip

    for url in (flow_url(HOSTILE), flow_url(HOSTILE, HOSTILE), flow_url(HOSTILE, "effect")):
        text = page(visitor, url)

        assert "<a hx-get" not in text
        assert len(re.findall(r"</script>", text)) == len(re.findall(r"<script", text))
        assert html.escape(HOSTILE) in text
    assert element_id("ev", HOSTILE) in text
    assert f"{event_api_url(HOSTILE)}" in page(visitor, flow_url(HOSTILE, HOSTILE))


@pytest.mark.parametrize("flow", ["a\x00b", "x" * 1_000, "..", "~", "/", "a b"])
def test_ids_are_found_as_their_producer_wrote_them(visitor: Client, flow: str) -> None:
    write(record("e", flow=flow, at_ms=NOW_MS))

    assert 'data-event="e"' in page(visitor, flow_url(flow))


def test_values_that_break_decoders_are_shown(visitor: Client) -> None:
    deep = b'{"eventId":"deep","payload":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    write(
        record("a", value=deep),
        record("b", value=b"\x00\xff\xfe"),
        record("c", value=b'{"eventId":"nul","correlationId":"nul","payload":"a\\u0000b"}'),
        record("d", "Big", flow="big", payload=["é" * 100] * 10_000),
    )

    assert "nests deeper" in page(visitor, flow_url("orders[0]@0"))
    assert "0000  00 ff fe" in page(visitor, flow_url("orders[0]@1"))
    assert "a\\u0000b" in page(visitor, flow_url("nul"))
    big = page(visitor, flow_url("big"))
    assert len(big) < 400_000
    assert "The rest" in big


def test_a_tombstone_has_no_payload(visitor: Client) -> None:
    gone = record("gone", value=b"")
    write(
        type(gone)(
            **{
                **{name: getattr(gone, name) for name in gone.__struct_fields__},
                "value": None,
                "value_length": 0,
            }
        )
    )

    assert "the record has no value" in page(visitor, flow_url("orders[0]@0"))


@pytest.mark.slow
def test_a_large_flow_says_how_much_of_it_is_drawn(visitor: Client) -> None:
    write(*(record(f"e{number}", at_ms=NOW_MS + number) for number in range(1_200)))

    text = page(visitor, "/flows/o-1")

    assert "Showing 500 of 1,200 events" in text
    assert text.count('class="card') == 500
    assert 'data-event="e1100"' in page(visitor, flow_url("o-1", "e1100"), htmx=True)


def test_the_page_needs_a_sign_in(client: Client) -> None:
    response = client.get("/flows/o-1")

    assert response.status_code == 302
    assert response["Location"].startswith("/login/")
