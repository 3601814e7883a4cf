"""What dead letters are grouped by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.domain.failure import MAX_MESSAGE, Failure, fingerprint, normalised, short_name

N, ID, TIME = "\u2039n\u203a", "\u2039id\u203a", "\u2039time\u203a"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no answer within 3,000 ms", f"no answer within {N} ms"),
        ("ORD-1001 has no address", f"{ID} has no address"),
        ("'shippingAddress'", "'shippingAddress'"),
        ("at 2026-11-25T10:00:00.123Z and 11:22:33", f"at {TIME} and {TIME}"),
        ("order 8c6f0fbe-1f3e-4a63-9d3f-6f8f2f1f0c11 lost", f"order {ID} lost"),
        ("cannot decode utf8 of v2", "cannot decode utf8 of v2"),
        ("refused by 10.0.0.7:9092", f"refused by {N}:{N}"),
        ("quantity is -5\n  of   7", f"quantity is {N} of {N}"),
        ("unknown field 0x7ffe12ab", f"unknown field {ID}"),
        ("", ""),
    ],
)
def test_a_message_loses_what_differs_from_record_to_record(message: str, expected: str) -> None:
    assert normalised(message) == expected


@share(50)
@given(st.text(max_size=600))
def test_any_message_becomes_one_bounded_line(message: str) -> None:
    line = normalised(message)

    assert len(line) <= MAX_MESSAGE
    assert "\n" not in line
    assert "\x00" not in line


@pytest.mark.parametrize("letter", ["1", "a1", "-", "1-", "a-1 ", ":", "2026-"])
def test_a_hostile_message_costs_little(letter: str) -> None:
    assert len(normalised(letter * 1_000_000)) <= MAX_MESSAGE


def test_a_group_is_named_by_its_source_else_by_what_its_topic_belongs_to() -> None:
    said = Failure(dialect="x", source_topic="orders")
    silent = Failure(dialect="x")

    def group(failure: Failure, of: str | None) -> str:
        return fingerprint(failure, topic="t.dlq", of=of, event_type="E").source_topic

    assert group(said, "t") == "orders"
    assert group(silent, "t") == "t"
    assert group(silent, None) == "t.dlq"


def test_every_part_makes_another_group() -> None:
    base = Failure(
        dialect="x", source_topic="orders", consumer="c", exception="E", message="went wrong"
    )
    others = [
        Failure(dialect="x", source_topic="s", consumer="c", exception="E", message="went wrong"),
        Failure(dialect="x", source_topic="orders", consumer="", exception="E", message=""),
        Failure(dialect="x", source_topic="orders", consumer="c", exception="c", message="E"),
    ]
    texts = {
        fingerprint(one, topic="t", of=None, event_type="Placed").text for one in (base, *others)
    }

    assert len(texts) == 4


@pytest.mark.parametrize(
    ("exception", "expected"),
    [("org.acme.Outer$Inner", "Inner"), ("KeyError", "KeyError"), ("", ""), ("a.b.", "b")],
)
def test_an_exception_is_short_without_its_package(exception: str, expected: str) -> None:
    assert short_name(exception) == expected
