"""What probably carries an envelope's fields, from a handful of records."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import JSON, share
from tracing.codec.candidates import MAX_CANDIDATES, filled, suggest
from tracing.codec.dialects import mapped
from tracing.codec.leaves import MAX_LEAVES, leaves
from tracing.codec.rules import Mapping
from tracing.domain.event import Envelope
from tracing.domain.record import Record


def body(number: int, **more: Any) -> dict[str, Any]:
    """Return a record of a home-made envelope; every third begins a flow of three."""
    first = number - number % 3
    return {
        "meta": {
            "uid": f"u-{number:04}",
            "id": f"m-{number:04}",
            "order": f"A-{first}",
            "parent": None if number == first else f"m-{number - 1:04}",
            "kind": ["order_placed", "stock_taken", "paid"][number % 3],
            "at": f"2026-01-31T12:00:{number:02}Z",
            "app": "shop",
        },
        "data": {"total": number, "currency": "EUR"},
        **more,
    }


def of(*bodies: Any) -> list[dict[str, Any]]:
    """Return the leaves of JSON bodies."""
    return [leaves(json.dumps(one).encode(), ()) for one in bodies]


def test_it_finds_a_home_made_envelope() -> None:
    found = filled(suggest(of(*(body(number) for number in range(12)))))

    assert found["event_id"] == "$.meta.id"
    assert found["event_type"] == "$.meta.kind"
    assert found["causation_id"] == "$.meta.parent"
    assert found["occurred"] == "$.meta.at"
    assert found["source"] == "$.meta.app"
    assert found["payload"] == "$.data"


def test_what_records_share_is_a_correlation_even_without_a_usual_name() -> None:
    found = suggest(of(*(body(number) for number in range(12))))

    assert found["correlation_id"][0].path == "$.meta.order"
    assert "share it with others" in found["correlation_id"][0].why


def test_flows_that_are_cut_at_the_edge_convince_all_the_same() -> None:
    found = filled(suggest(of(*(body(number) for number in range(2, 13)))))

    assert found["correlation_id"] == "$.meta.order"


def test_a_correlation_is_seen_across_topics() -> None:
    orders = of(*({"id": f"o-{n}", "orderId": f"A-{n}"} for n in range(5)))
    payments = of(*({"id": f"p-{n}", "orderId": f"A-{n}", "parentId": f"o-{n}"} for n in range(5)))

    found = suggest(payments, orders)

    assert filled(found)["correlation_id"] == "$.orderId"
    assert found["causation_id"][0].path == "$.parentId"
    assert found["causation_id"][0].why == "another record's id in 5 of 5"


def test_a_record_that_came_twice_does_not_hide_its_id_nor_cause_itself() -> None:
    ids = [f"m-{number}" for number in (0, 1, 2, 3, 3, 4, 5, 6, 7, 8)]
    shop = of(*({"eventId": one, "causationId": f"c-{n}"} for n, one in enumerate(ids)))
    failed = of({"eventId": "m-3"})

    found = suggest(shop, failed)

    assert [one.path for one in found["event_id"]] == ["$.eventId"]
    assert found["event_id"][0].why == "different in 9 of 10 records"
    assert "$.eventId" not in {one.path for one in found["causation_id"]}


def test_the_name_of_an_application_is_the_service_and_not_the_type() -> None:
    records = of(
        *(
            {"app": {"name": "biller"}, "meta": {"kind": kind, "id": f"b-{n}"}}
            for n, kind in enumerate(["billed", "paid", "billed", "overdue"])
        )
    )

    found = filled(suggest(records))

    assert found["event_type"] == "$.meta.kind"
    assert found["source"] == "$.app.name"


def test_headers_are_candidates_too() -> None:
    records = [
        leaves(b"text", [("X-Correlation-Id", b"c-%d" % (n // 2)), ("Message-Id", b"m-%d" % n)])
        for n in range(6)
    ]

    found = filled(suggest(records))

    assert found == {
        "event_id": "header:Message-Id",
        "correlation_id": "header:X-Correlation-Id",
    }


def test_constants_and_times_are_no_ids() -> None:
    records = of(*({"tenant_id": "t-1", "ts": 1_700_000_000_000 + n, "n": n} for n in range(8)))

    found = suggest(records)

    assert found["event_id"] == ()
    assert found["correlation_id"] == ()
    assert filled(found) == {"occurred": "$.ts"}


def test_nothing_is_suggested_of_nothing() -> None:
    assert not any(suggest([]).values())
    assert not any(suggest([leaves(None, ()), leaves(b"\xff", ())]).values())


HEADERS = st.lists(st.tuples(st.text(max_size=9), st.none() | st.binary(max_size=9)), max_size=4)


@share(40)
@given(st.lists(st.tuples(JSON, HEADERS), max_size=6))
def test_whatever_comes_every_suggestion_can_be_followed(
    drawn: list[tuple[Any, list[tuple[str, bytes | None]]]],
) -> None:
    values = [json.dumps(one).encode() for one, _ in drawn]
    held = [leaves(value, headers) for value, (_, headers) in zip(values, drawn, strict=True)]

    found = suggest(held, held)

    assert all(len(one) <= MAX_LEAVES for one in held)
    for field, candidates in found.items():
        assert len(candidates) <= MAX_CANDIDATES
        for one in candidates:
            mapping = Mapping(topic="*", **{field: one.path})
            mapping.check()
            assert 0 < one.present <= len(drawn)
    chosen = Mapping(topic="*", **filled(found))
    chosen.check()
    for value, (_, headers) in zip(values, drawn, strict=True):
        record = Record(
            topic="t", partition=0, offset=0, timestamp_ms=0, value=value, headers=tuple(headers)
        )
        read = mapped.read(record, value, chosen)
        assert read is None or isinstance(read[0], Envelope)


@share(40)
@given(st.binary(max_size=60))
def test_any_bytes_are_looked_into(raw: bytes) -> None:
    for value in (raw, b"{" + raw, b"[" * 4_000 + raw):
        assert isinstance(leaves(value, ()), dict)
