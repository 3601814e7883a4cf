"""Topics that are dead letter topics by their configuration at the broker, as a job has read it."""

from __future__ import annotations

import time

import msgspec
from django.db.models import Exists, OuterRef

from tracing.models import TopicFacts

# A broker's configuration changes seldom, and what was read before follows with a rebuild anyhow.
EVERY_S = 5.0
MAX_TOPICS = 1_000


class _Held(msgspec.Struct):
    """What was known when we looked last."""

    read_at: float = float("-inf")
    topics: tuple[str, ...] = ()


_held = _Held()


def configured_dead_letters() -> tuple[str, ...]:
    """Return the topics in order. One small query, at most once in `EVERY_S`."""
    if time.monotonic() - _held.read_at >= EVERY_S:
        # A topic that was made anew is what its newest configuration says.
        newer = TopicFacts.objects.filter(
            source__topic=OuterRef("source__topic"), source_id__gt=OuterRef("source_id")
        )
        said = TopicFacts.objects.filter(~Exists(newer), dead_letters=True)
        rows = said.order_by("source__topic")
        _held.topics = tuple(rows.values_list("source__topic", flat=True)[:MAX_TOPICS])
        _held.read_at = time.monotonic()
    return _held.topics


def forget_configured() -> None:
    """Look again when they are asked for next."""
    _held.read_at = float("-inf")
