"""The pages of sagas through Django's client: the list, one saga, the definitions."""

from __future__ import annotations

import datetime as dt
import html
import re
import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.log import record, write
from tests.integration.people import browser_of
from tests.unit.domain.saga.test_derive import SAGAS
from tracing.models import AuditEntry, RebuildRun, SagaDefinition, SagaInstance
from tracing.projections.rebuild import rebuild
from tracing.projections.saga_decisions import declare, forget_sagas

pytestmark = pytest.mark.usefixtures("decided_here")
SHOP = (SAGAS / "order.yaml").read_text()
HOSTILE = '"><script>alert(1)</script>'
BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
SAVE, MOVE = "/sagas/definitions/save", "/sagas/definitions/move"


@pytest.fixture
def decided_here(db: None) -> Iterator[None]:
    """Take no definition of one test into another."""
    forget_sagas()
    yield
    forget_sagas()


@pytest.fixture
def shop(decided_here: None) -> SagaDefinition:
    """Declare the choreographed shop for everything that is stored."""
    return declare(SHOP, by="test", valid_from=BEGINNING)


def order(*types: str, key: str = "ORD-1042", ago_s: int = 0, reason: str = "") -> str:
    """Store the events of one order, a second apart; return its saga's page."""
    now_ms = time.time_ns() // 1_000_000 - ago_s * 1_000
    write(
        *(
            record(
                f"{key}-{number}",
                event_type,
                flow=f"flow-{key}",
                key=key.encode(),
                at_ms=now_ms + 1_000 * number,
                payload={"orderId": key} | ({"reason": reason} if reason else {}),
            )
            for number, event_type in enumerate(types)
        )
    )
    return f"/sagas/{SagaInstance.objects.get(key=key).id}"


def text_of(client: Client, path: str, *, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def test_without_a_definition_the_list_shows_how_to_write_one(demo: Client) -> None:
    page = text_of(demo, "/sagas/")

    assert "Say what a saga of yours is" in page
    assert "starts: OrderPlaced" in page
    assert 'href="/sagas/definitions/edit"' in page
    assert '<a class="place" href="/sagas/"' in page


@pytest.mark.usefixtures("shop")
def test_the_list_counts_and_links(demo: Client) -> None:
    order("OrderPlaced", ago_s=30)
    order("OrderPlaced", "StockReserved", key="ORD-2")
    order("OrderPlaced", "StockReserved", "PaymentFailed", "OrderCancelled", key="ORD-3")
    write(record("t-1", "TripRequested", flow="trip"))

    page = text_of(demo, "/sagas/")

    assert "! overdue" not in page
    assert re.search(r"1 overdue", page)
    assert re.search(r'title="1 at Process payment since [^"]+">1 since ', page)
    assert "stock reserved, never released" in page
    assert "1 of 3" in page
    assert '<td class="num mono">≈ ' in page
    assert "durations are counted in buckets" in page
    assert "1 flow type has no definition, of the last 4 flows" in page
    assert all(key in page for key in ("ORD-1042", "ORD-2", "ORD-3"))
    late = text_of(demo, "/sagas/?overdue=1")
    assert "ORD-1042" in late
    assert "saga-row row" in late
    assert late.count("saga-row row") == 1
    assert "No saga matches" in text_of(demo, "/sagas/?state=COMPLETED")


@pytest.mark.usefixtures("shop")
def test_a_line_says_gravely_what_was_not_undone_also_where_it_is_overdue(demo: Client) -> None:
    failed = ("OrderPlaced", "StockReserved", "PaymentProcessed", "ShipmentFailed")
    order(*failed, "PaymentRefundFailed", ago_s=90)
    order("OrderPlaced", key="ORD-2", ago_s=90)

    told = text_of(demo, "/sagas/?state=failed")
    waits = text_of(demo, "/sagas/?key=ORD-2")

    assert "bad-fail" in told
    assert "bad-fail" not in waits


@pytest.mark.usefixtures("shop")
def test_a_saga_shows_its_timeline_its_flags_and_where_to_look(demo: Client) -> None:
    path = order("OrderPlaced", "StockReserved", "PaymentFailed", ago_s=60, reason="card_declined")

    page = text_of(demo, path)

    assert "Process payment failed, card declined." in page
    assert "ORD-1042 still holds its stock: “Release stock” is" in page
    assert "over its timeout of 10 s." in page
    assert 'class="way joint' in page
    assert 'id="undo-0" class="card late look-overdue"' in page
    assert 'href="/flows/flow-ORD-1042"' in page
    assert 'href="/flows/flow-ORD-1042?event=ORD-1042-2"' in page
    assert "COMPENSATION, IN REVERSE ORDER" in page
    assert f"/api{path}" in page
    assert text_of(demo, "/sagas/" + "0" * 32, status=404)


@pytest.mark.usefixtures("shop")
def test_what_comes_from_kafka_is_escaped(demo: Client) -> None:
    path = order("OrderPlaced", "StockReservationFailed", key=HOSTILE, reason=HOSTILE)

    for page in (demo.get(path), demo.get("/sagas/"), demo.get("/sagas/", {"key": HOSTILE})):
        assert b"<script>alert" not in page.content


def test_a_bad_definition_is_shown_again_with_its_line(operator: Client) -> None:
    bad = SHOP.replace("failure: PaymentFailed", "failed: PaymentFailed")
    line = bad[: bad.index("failed: PaymentFailed")].count("\n") + 1

    for do in ("preview", "save"):
        answer = operator.post(SAVE, {"text": bad, "do": do, "from": "at", "at": "2h"})

        page = html.unescape(answer.content.decode())
        assert answer.status_code == 422
        assert f"Line {line}:" in page
        assert "did you mean `failure`?" in page
        assert f'data-line="{line}"' in page
        assert bad in page
        assert 'value="2h"' in page
    assert not SagaDefinition.objects.exists()


def test_a_bad_time_loses_nothing(operator: Client) -> None:
    answer = operator.post(SAVE, {"text": SHOP, "do": "save", "from": "at", "at": "soon"})

    assert answer.status_code == 422
    assert SHOP in html.unescape(answer.content.decode())


def test_a_preview_shows_the_newest_flows_and_saves_nothing(operator: Client) -> None:
    write(record("p-1", "OrderPlaced", flow="one", payload={"orderId": "ORD-9"}))

    answer = operator.post(SAVE, {"text": SHOP, "do": "preview", "from": "now"})

    page = html.unescape(answer.content.decode())
    assert answer.status_code == 200
    assert "Under this definition" in page
    assert "ORD-9" in page
    assert "at Reserve stock" in page
    assert not SagaDefinition.objects.exists()


def test_an_operator_saves_versions_and_ends_them(operator: Client) -> None:
    write(record("p-1", "OrderPlaced", flow="one", payload={"orderId": "ORD-9"}))
    crlf = SHOP.replace("\n", "\r\n")
    operator.post(SAVE, {"text": crlf, "do": "save", "from": "always", "reason": "first"})
    slower = SHOP.replace("timeout: 30s", "timeout: 60s")
    answer = operator.post(SAVE, {"text": slower, "do": "save", "from": "now"})

    assert answer.status_code == 302
    first, second = SagaDefinition.objects.order_by("version")
    assert (first.text, first.valid_from, first.made_by) == (SHOP, BEGINNING, "grace")
    assert (second.version, second.text) == (2, slower)
    assert RebuildRun.objects.filter(finished_at=None).exists()
    page = text_of(operator, "/sagas/definitions/")
    assert "A rebuild waits" in page
    operator.post("/sagas/definitions/end", {"name": first.name, "version": "2"})
    assert [row.ended_by for row in SagaDefinition.objects.order_by("version")] == ["", "grace"]
    entries = list(AuditEntry.objects.order_by("id").values_list("what", "target", "why"))
    assert entries == [
        ("define", "saga Order, version 1", "first"),
        ("define", "saga Order, version 2", ""),
        ("end", "saga Order, version 2", ""),
    ]
    assert "60s" in text_of(operator, "/sagas/definitions/edit?name=Order&version=2")


@pytest.mark.usefixtures("strict_templates")
def test_a_version_is_moved_after_it_was_said_what_that_means(operator: Client) -> None:
    later = dt.datetime.now(dt.UTC)
    declare(SHOP, by="test", valid_from=later - dt.timedelta(days=2))
    order("OrderPlaced", ago_s=3_600)
    declare(SHOP.replace("timeout: 30s", "timeout: 60s"), by="test", valid_from=later)
    wanted = {"name": "Order", "version": "2", "from": "at", "at": "2h", "reason": "late"}

    asked = text_of(operator, "/sagas/definitions/move?name=Order&version=2")
    said = html.unescape(operator.post(MOVE, {**wanted, "do": "look"}).content.decode())

    assert "See what it means" in asked
    assert "will be judged by version 2 instead of 1: 1 stored saga." in said
    assert SagaDefinition.objects.get(version=2).valid_from == later
    # What was looked at is done, however much later.
    at = re.search(r'name="at" value="([^"]+Z)"', said)
    assert at is not None
    answer = operator.post(MOVE, {**wanted, "at": at[1], "do": "move"})
    assert answer.status_code == 302
    moved = SagaDefinition.objects.get(version=2).valid_from
    assert moved == dt.datetime.fromisoformat(at[1])
    assert AuditEntry.objects.get().outcome["valid_from"] == moved.isoformat()
    rebuild()
    assert SagaInstance.objects.get(key="ORD-1042").version == 2


@pytest.mark.usefixtures("strict_templates")
def test_moving_says_what_is_lost_and_refuses_what_is_no_time(
    operator: Client, shop: SagaDefinition
) -> None:
    order("OrderPlaced", ago_s=60)
    wanted = {"name": "Order", "version": "1", "from": "now", "do": "look"}

    page = html.unescape(operator.post(MOVE, wanted).content.decode())

    assert "will be no saga any more, as no version covers it: 1 stored saga." in page
    answer = operator.post(MOVE, {**wanted, "from": "at", "at": "soon", "do": "move"})
    assert answer.status_code == 422
    assert 'value="soon"' in answer.content.decode()
    same = operator.post(MOVE, {**wanted, "from": "always"}).content.decode()
    assert "It holds from the beginning already." in same
    assert operator.post(MOVE, {**wanted, "version": "7"}).status_code == 404
    assert SagaDefinition.objects.get().valid_from == BEGINNING


def test_a_viewer_reads_and_changes_nothing(viewer: User, shop: SagaDefinition) -> None:
    client = browser_of(viewer)

    page = text_of(client, f"/sagas/definitions/edit?name={shop.name}")

    assert "readonly" in page
    assert "Save as a new version" not in page
    assert "End</button>" not in text_of(client, "/sagas/definitions/")
    assert client.post(SAVE, {"text": SHOP, "do": "save"}).status_code == 403
    assert client.post(MOVE, {"name": "Order", "version": "1"}).status_code == 403
    assert client.post("/sagas/definitions/end", {"name": "Order"}).status_code == 403
    assert SagaDefinition.objects.count() == 1


@pytest.mark.usefixtures("shop")
def test_djangos_admin_lists_definitions_and_leads_to_the_editor(admin: Client) -> None:
    number = SagaDefinition.objects.get().pk

    assert "Order" in admin.get("/admin/tracing/sagadefinition/?q=ord").content.decode()
    shown = admin.get(f"/admin/tracing/sagadefinition/{number}/change/")
    assert "/sagas/definitions/edit?name=Order&amp;version=1" in shown.content.decode()
    assert admin.get("/admin/tracing/sagadefinition/add/").status_code == 403
    gone = admin.post(f"/admin/tracing/sagadefinition/{number}/delete/", {"post": "yes"})
    assert gone.status_code == 403
