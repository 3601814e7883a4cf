"""What is asked for is checked, and what an event is compared by is bounded."""

from __future__ import annotations

import json

import pytest

from tracing.web.api.parameters import BadParameterError
from tracing.web.wait.wanted import MAX_FIELDS, Match, asked, content


def test_types_and_matches_may_be_several() -> None:
    found = asked(b"type=A,B&type=C&fail=D&match=id:ORD-1&match=urn:a:b&timeout_ms=250&after=7")

    assert found.wanted.types == {"A", "B", "C"}
    assert found.wanted.fails == {"D"}
    assert found.wanted.matches == (Match("id", "ORD-1"), Match("urn", "a:b"))
    assert found.wanted.after == 7
    assert found.timeout_s == 0.25
    assert (found.wanted.status("B"), found.wanted.status("D")) == ("matched", "failed")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (b"", "type: name the type"),
        (b"type=", "type: name the type"),
        (b"type=A&match=orderId", "match: a field and its value"),
        (b"type=A&match=:x", "match: a field and its value"),
        (b"type=A&match=x:", "match: a field and its value"),
        (b"type=A&timeout_ms=soon", "timeout_ms: a whole number"),
        (b"type=A&timeout_ms=60001", "timeout_ms: 0 to 60000"),
        (b"type=A&tmieout_ms=1", "tmieout_ms: unknown"),
        (b"type=" + b",".join([b"A"] * 21), "type: at most 20"),
        (b"type=A" + b"&match=a:b" * 6, "match: at most 5"),
        (b"type=A&match=a:" + b"b" * 500, "match: at most 400 characters"),
        (b"type=" + b"A" * 9_000, "query: at most"),
    ],
)
def test_a_wrong_question_is_told_what_to_write(query: bytes, says: str) -> None:
    with pytest.raises(BadParameterError, match=says):
        asked(query)


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (("orderId", "ORD-1"), True),
        (("orderId", "ORD-9"), False),
        (("number", "7"), True),
        (("sku", "MUG"), True),
        (("key", "K-1"), True),
        (("correlation_id", "flow"), True),
        (("event_id", "e-1"), True),
        # Where the payload does not say it, the record key does.
        (("customer", "K-1"), True),
        (("orderId", "K-1"), False),
        (("customer", "ORD-1"), False),
    ],
)
def test_what_a_match_is_compared_with(match: tuple[str, str], fits: bool) -> None:
    payload = json.dumps({"orderId": "ORD-1", "number": 7, "item": {"sku": "MUG"}}).encode()

    said = content("K-1", "flow", "e-1", payload)

    assert said.fits((Match(*match),)) is fits


@pytest.mark.parametrize("payload", [None, b"", b"[1]", b"no json", b"\xff", b"[" * 5_000])
def test_a_payload_that_is_no_object_leaves_key_and_ids(payload: bytes | None) -> None:
    assert content("K-1", "flow", "e-1", payload).texts() == {"K-1", "flow", "e-1"}


def test_a_payload_of_many_fields_is_compared_in_part() -> None:
    payload = json.dumps({f"field{number}": number for number in range(10_000)}).encode()

    assert len(content(None, "flow", "e-1", payload).values) <= MAX_FIELDS + 2
