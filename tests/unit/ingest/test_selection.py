"""Which topics are read, and from where."""

from __future__ import annotations

import pytest

from tracing.ingest.selection import BadStartError, Start, parse_start, wanted


@pytest.mark.parametrize(
    ("topic", "patterns", "answer"),
    [
        ("orders", ["*"], True),
        ("__consumer_offsets", ["*"], False),
        ("__mine", ["*", "__mine"], True),
        ("orders.v1", ["orders*", "payments"], True),
        ("stock", ["orders*", "payments"], False),
        ("orders-debug", ["*", "!*-debug"], False),
        ("Orders", ["orders"], False),
    ],
)
def test_it_selects_topics(topic: str, patterns: list[str], answer: bool) -> None:
    assert wanted(topic, patterns) is answer


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("earliest", Start("earliest")),
        ("latest", Start("latest")),
        ("-1h", Start("age", 3_600_000)),
        ("-90s", Start("age", 90_000)),
    ],
)
def test_it_reads_where_to_begin(text: str, start: Start) -> None:
    assert parse_start(text) == start


@pytest.mark.parametrize("text", ["", "soon", "1h", "-1w", "-h"])
def test_a_start_that_makes_no_sense_says_what_would(text: str) -> None:
    with pytest.raises(BadStartError, match="earliest, latest or an age"):
        parse_start(text)
