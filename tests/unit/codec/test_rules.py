"""Mappings and search keys: settings that decide what is read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import JSON, share
from tests.unit.codec.test_decode import record
from tracing.codec import decode
from tracing.codec.dialects.mapped import follow
from tracing.codec.keys import MAX_KEYS, search_keys
from tracing.codec.rules import DEFAULT_KEY_FIELDS, BadMappingError, Rules, parse_mappings

MAPPING = {
    "topic": "ord*",
    "event_id": "$.meta.uid",
    "event_type": "$.meta.kind",
    "correlation_id": "header:X-Conversation",
    "causation_id": "$.parents[0]",
    "occurred": "$.meta.at",
    "source": "$.meta.app",
    "payload": "$.body",
}
BODY = {
    "meta": {"uid": "e-1", "kind": "placed", "at": 1_767_225_600, "app": "shop"},
    "parents": ["e-0"],
    "body": {"orderId": "ORD-1"},
}


def test_a_mapping_reads_an_envelope_of_ones_own() -> None:
    rules = Rules(mappings=parse_mappings(json.dumps([MAPPING]).encode()))

    found = decode(record(json.dumps(BODY).encode(), ("x-conversation", b"c-1")), rules)

    event = found.events[0]
    assert event.dialect == "mapped"
    assert (event.event_id, event.correlation_id, event.causation_id) == ("e-1", "c-1", "e-0")
    assert (event.type, event.service) == ("placed", "shop")
    assert event.occurred_us == 1_767_225_600_000_000
    assert event.keys == ("ORD-1",)
    assert json.loads(found.payloads[0] or b"") == {"orderId": "ORD-1"}


def test_a_record_that_lacks_the_mapped_identity_is_read_as_any_other() -> None:
    rules = Rules(mappings=parse_mappings(json.dumps([MAPPING]).encode()))

    event = decode(record(b'{"eventId":"n-1","eventType":"T"}'), rules).events[0]

    assert (event.dialect, event.event_id) == ("native", "n-1")


def test_a_mapping_for_other_topics_changes_nothing() -> None:
    mapping = MAPPING | {"topic": "payments"}
    rules = Rules(mappings=parse_mappings(json.dumps([mapping]).encode()))

    assert decode(record(json.dumps(BODY).encode()), rules).events[0].dialect == "none"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"{", "mapping"),
        (b'[{"topic": ""}]', "topic"),
        (b'[{"topic": "a", "event_id": "meta.id"}]', "event_id"),
        (b'[{"topic": "a", "event_id": "$..id"}]', "event_id"),
        (b'[{"topic": "a", "evnt_id": "$.id"}]', "evnt_id"),
    ],
)
def test_a_bad_mapping_says_which_field(raw: bytes, said: str) -> None:
    with pytest.raises(BadMappingError, match=said):
        parse_mappings(raw)


@share(50)
@given(JSON, st.sampled_from(["$.a", "$.a.b[0]", "$[0][1]", "$.a[9999]"]))
def test_a_path_may_lead_nowhere(body: object, path: str) -> None:
    follow(body, path)


def test_payload_fields_that_look_like_identifiers_are_search_keys() -> None:
    payload = {
        "orderId": "ORD-1",
        "customer": {"customer_id": 17, "name": "Ada"},
        "total": 12,
        "trackingNumber": "T-9",
        "items": [{"productId": "P-1"}],
        "parentId": None,
        "paid": True,
    }

    assert search_keys(json.dumps(payload).encode(), DEFAULT_KEY_FIELDS) == ("ORD-1", "T-9", "17")


def test_search_keys_are_bounded() -> None:
    payload = json.dumps({f"a{number}Id": number for number in range(50)}).encode()

    assert len(search_keys(payload, DEFAULT_KEY_FIELDS)) == MAX_KEYS


@given(st.binary(max_size=200))
def test_no_payload_stops_the_search_for_keys(payload: bytes) -> None:
    search_keys(payload, DEFAULT_KEY_FIELDS)
