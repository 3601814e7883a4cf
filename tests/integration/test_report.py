"""What the ingestor writes of itself while a broker is away."""

from __future__ import annotations

import re

from tracing.ingest.report import Reporter, Standing
from tracing.models import Ingestor


def test_it_says_since_when_the_broker_is_away(db: None) -> None:
    reporter = Reporter("one", "kafka:9092")

    reporter.waiting("kafka:9092: Connection refused")
    first = Ingestor.objects.get().detail
    reporter.waiting("kafka:9092: Connection refused.")
    second = Ingestor.objects.get().detail

    said = r"kafka:9092: Connection refused, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\."
    assert re.fullmatch(said, first)
    assert second == first


def test_a_broker_that_came_back_is_no_longer_away(db: None) -> None:
    reporter = Reporter("one", "kafka:9092")
    reporter.waiting("kafka:9092: Connection refused")

    reporter.running(Standing(topics=1, lag=0, ends={}))

    row = Ingestor.objects.get()
    assert (row.state, row.detail) == ("running", "")
