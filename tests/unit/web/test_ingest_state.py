"""What the foot and the banner say of the ingest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tracing.models import Ingestor
from tracing.web.context import summary


def ingestor(**fields: Any) -> Ingestor:
    given = {"name": "one", "state": "running", "cluster": "shop", "topics": 6, "lag": 0}
    return Ingestor(**{**given, "events_per_s": 12.0, **fields}, seen_at=datetime.now(UTC))


def test_all_is_well_without_a_banner() -> None:
    state = summary([ingestor()], last=None)

    assert (state.tone, state.word, state.banner) == ("ok", "", "")
    assert (state.cluster, state.topics, state.events_per_s) == ("shop", 6, 12.0)


def test_several_ingestors_count_together() -> None:
    state = summary([ingestor(lag=3), ingestor(name="two", lag=4, behind_ms=900)], last=None)

    assert (state.lag, state.events_per_s, state.tone) == (7, 24.0, "ok")


def test_it_says_how_far_it_is_behind() -> None:
    state = summary([ingestor(lag=1_240, behind_ms=40_000)], last=None)

    assert state.banner == "Ingest is 40 s behind"
    assert state.word == "Behind 40 s"
    assert "1,240" in state.detail


def test_it_says_why_the_broker_does_not_answer() -> None:
    state = summary([ingestor(state="waiting", detail="127.0.0.1:9092 refused")], last=None)

    assert (state.tone, state.banner) == ("away", "The broker does not answer")
    assert state.detail == "127.0.0.1:9092 refused"


def test_one_ingestor_that_reads_is_enough() -> None:
    state = summary([ingestor(state="waiting"), ingestor(name="two")], last=None)

    assert state.tone == "ok"


def test_nobody_reads_when_all_have_stopped() -> None:
    last = ingestor(state="stopped")

    state = summary([last], last=last)

    assert (state.tone, state.banner) == ("stopped", "Ingest is not running")
    assert state.cluster == "shop"
