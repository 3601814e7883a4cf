"""A topic of the broker, and the step that sends to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tracing.jobs.retry import SendRetries
from tracing.kafka.producer import ensure_topics


@pytest.fixture
def topic(broker: str) -> str:
    """Return a topic of the broker with one partition."""
    name = f"retries-{uuid.uuid4().hex[:8]}"
    ensure_topics([broker], {name: 1})
    return name


@pytest.fixture
def step(broker: str) -> Iterator[SendRetries]:
    """Return the step that sends."""
    made = SendRetries([broker])
    yield made
    made.close()
