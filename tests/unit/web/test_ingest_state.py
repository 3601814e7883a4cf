"""What the foot and the banner say of the ingest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from tracing.models import Ingestor
from tracing.web.context import summary

CLIENT_WORDS = "KafkaTimeoutError: Unable to bootstrap from [('127.0.0.1', 19292, <Family: 0>)]"


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
    assert state.detail == "127.0.0.1:9092 refused. Trying again by itself."


def test_it_says_that_the_database_is_full_though_another_ingestor_has_not_noticed_yet() -> None:
    full = ingestor(name="two", state="full", detail="disk is full, since 12:04 UTC.")

    state = summary([ingestor(), full], last=None)

    assert (state.tone, state.banner) == ("away", "The database is full")
    assert state.detail.startswith("disk is full, since 12:04 UTC. Kafka keeps what comes.")


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        (
            f"The Kafka broker does not answer. 127.0.0.1:19292: {CLIENT_WORDS}",
            "127.0.0.1:19292: Unable to bootstrap. Trying again by itself.",
        ),
        (
            "The Kafka broker does not answer. kafka:9092: Connection refused, since 12:04 UTC.",
            "kafka:9092: Connection refused, since 12:04 UTC. Trying again by itself.",
        ),
        ("", "kafka.example:9092. Trying again by itself."),
    ],
)
def test_a_reason_is_said_once_and_without_class_names(
    settings: Settings, detail: str, said: str
) -> None:
    settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS = ["kafka.example:9092"]

    assert summary([ingestor(state="waiting", detail=detail)], last=None).detail == said


def test_one_ingestor_that_reads_is_enough() -> None:
    state = summary([ingestor(state="waiting"), ingestor(name="two")], last=None)

    assert state.tone == "ok"


def test_nobody_reads_when_all_have_stopped() -> None:
    last = ingestor(state="stopped")

    state = summary([last], last=last)

    assert (state.tone, state.banner) == ("stopped", "Ingest is not running")
    assert state.cluster == "shop"


@pytest.mark.parametrize(
    ("demo", "how"), [(True, "make demo again"), (False, ".venv/bin/python manage.py ingest")]
)
def test_it_says_when_the_ingest_was_last_seen_and_how_to_start_it(
    settings: Settings, demo: bool, how: str
) -> None:
    settings.EVENTVIZ_DEMO = settings.EVENTVIZ_SHOP = demo
    last = ingestor(state="running")
    last.seen_at = datetime(2026, 1, 31, 12, 4, 17, tzinfo=UTC)

    detail = summary([], last=last).detail

    assert detail.startswith("Last seen 2026-01-31 12:04:17 UTC. ")
    assert how in detail


def test_an_ingestor_that_falls_silent_is_said_at_once() -> None:
    row = ingestor()

    fresh = summary([row], last=row, at=row.seen_at + timedelta(seconds=2))
    silent = summary([row], last=row, at=row.seen_at + timedelta(seconds=4))

    assert (fresh.seen, silent.tone) == ("", "ok")
    assert silent.seen == f"{row.seen_at:%H:%M:%S} UTC"
