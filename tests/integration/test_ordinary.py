"""The short way of ordinary records says what the long way says, of whatever comes."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.strangers import hostile
from tracing.codec import ordinary
from tracing.domain.record import Record
from tracing.projections.batch import batch_of
from tracing.projections.catalogue import Catalogue
from tracing.projections.ordinary import Reading
from tracing.projections.record_rows import rows_of
from tracing.projections.rows import prepare

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is drawn have more new names than are looked up at once."""
    monkeypatch.setattr("tracing.projections.ordinary.ASKS", 2)


ENVELOPE = {
    "eventId": "e-1",
    "eventType": "OrderPlaced",
    "schemaVersion": "1",
    "timestamp": 1_767_225_600_123,
    "correlationId": "c-1",
    "causationId": None,
    "source": "orders",
    "payload": {"orderId": "o-1", "total": "23.80"},
}
NIL = "00000000-0000-0000-0000-000000000000"
STRANGE = ["", " ", "null", "NULL", "n", "0", NIL, "x" * 401, "é", "a\0b", "\ud800", 'q"q', "b\\b"]
ids = st.sampled_from(["e-1", "c-1", *STRANGE])
numbers = st.booleans() | st.integers() | st.floats(allow_nan=False, width=32)
scalars = st.none() | numbers | ids | ids | st.text(max_size=5)
labels = st.sampled_from(["OrderPlaced", "OrderFailed", "", " ", "é", 1, True, "L" * 300]) | scalars
names = st.sampled_from(["orderId", "customer_id", "id", "reason", "note", "items", ""])
inner = scalars | st.lists(scalars, max_size=2) | st.dictionaries(names, scalars, max_size=3)
deep = st.sampled_from([30, 60, 61, 62, 63, 64, 65, 500]).map(
    lambda levels: json.loads("[" * levels + "]" * levels)
)
payloads = (
    st.dictionaries(names, inner, max_size=4)
    | st.fixed_dictionaries({"reason": labels, "orderId": ids})
    | st.fixed_dictionaries({"deep": deep})
    | inner
)
times = st.sampled_from(
    [None, 0, 1_767_225_600, 1_767_225_600_123, 10**20, 1.5, "2026-01-01T00:00:00Z", "soon", [1]]
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "eventId": scalars,
    "eventType": labels,
    "schemaVersion": labels,
    "timestamp": times,
    "correlationId": scalars,
    "causationId": scalars,
    "source": labels,
    "payload": payloads,
    "specversion": st.just("1.0"),
    "messageId": ids,
    "messageType": st.just(["urn:message:Placed"]),
    "unknown": payloads,
}


@st.composite
def values(draw: st.DrawFn) -> bytes | None:
    """Draw what is nearly an ordinary envelope, most often."""
    changed = draw(st.lists(st.sampled_from(["payload", "eventId", *FIELDS]), max_size=2))
    body: dict[str, Any] = ENVELOPE | {name: draw(FIELDS[name]) for name in changed}
    for name in draw(st.lists(st.sampled_from(sorted(ENVELOPE)), max_size=1)):
        body.pop(name)
    text = json.dumps(body, ensure_ascii=draw(st.booleans()), separators=(",", ":"))
    raw = text.encode("utf-8", "surrogatepass")
    # A field said twice, white space, bytes that are no envelope, something cut off.
    twice = raw[:-1] + b',"eventId":"again","payload":{"id":"twice"}}'
    return draw(
        st.sampled_from([raw, raw, raw, raw, twice, b" " + raw, raw[:-3], b"[" + raw + b"]"])
        | st.sampled_from([None, b"", b"{}", b"text", b"\x00\x00\x00\x00\x01{}"])
    )


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Draw records of an ordinary topic and of one with dead letters, plain or with headers."""
    drawn = []
    for offset in range(draw(st.integers(1, 8))):
        value = draw(values())
        record = Record(
            topic=draw(st.sampled_from(["orders", "orders", "orders", "orders.dlq"])),
            partition=0,
            offset=offset,
            timestamp_ms=draw(st.sampled_from([0, 5, 1_767_225_600_999])),
            key=draw(st.sampled_from([None, b"", b"o-1", b"\xff\x00", "é".encode(), b"k" * 300])),
            value=value,
            headers=draw(st.sampled_from([(), (), (("correlation-id", b"other"),)])),
            value_length=len(value or b""),
        )
        drawn.append(record)
    return drawn


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=records())
def test_the_short_way_says_what_the_long_way_says(drawn: list[Record]) -> None:
    assert_same(drawn)


def test_it_says_so_of_hostile_records_too() -> None:
    assert_same(hostile.records())


def assert_same(records: Collection[Record]) -> None:
    """Compare what both ways make of these records."""
    catalogue = Catalogue()
    numbers = {
        topic: catalogue.partition(topic=topic, topic_uuid="", number=0).id
        for topic in {record.topic for record in records}
    }
    pairs = [(numbers[record.topic], record) for record in records]
    rows = [row for number, record in pairs for some in rows_of(number, [record]) for row in some]
    expected = batch_of(prepare(pairs, catalogue))

    # At first it has met none of the names, then all; the records come at once, or in pieces.
    ways = ((Catalogue(), len(rows)), (Catalogue(), 1), (catalogue, len(rows)), (catalogue, 2))
    for names, size in ways:
        reading = Reading(names)
        for at in range(0, len(rows), size):
            reading.add(rows[at : at + size])
        assert reading.batch() == expected


def plain(**changes: Any) -> Record:
    value = json.dumps(ENVELOPE | changes).encode()
    return Record(topic="orders", partition=0, offset=1, timestamp_ms=5, value=value)


@pytest.mark.parametrize(
    "record",
    [plain(), plain(payload={"id": NIL, "at": [{"id": "a"}]}), plain(causationId="n-1")],
)
def test_ordinary_records_go_the_short_way(record: Record) -> None:
    assert ordinary.read(record.value) is not None


@pytest.mark.parametrize(
    "record",
    [
        plain(payload={"deep": json.loads("[" * 65 + "]" * 65)}),
        plain(eventId="a\0b"),
        plain(correlationId=NIL),
        plain(causationId="x" * 401),
        plain(another="field"),
        plain(eventType=7),
        plain(schemaVersion=1.0),
        plain(payload="text"),
    ],
)
def test_all_others_go_the_long_way(record: Record) -> None:
    assert ordinary.read(record.value) is None
