"""What was understood of a record: the envelope, and the event with its identity."""

from __future__ import annotations

from typing import Literal

import msgspec

from tracing.domain.failure import Attempt

JoinedBy = Literal["correlation", "trace", "event"]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The fields of an envelope as its producer wrote them, cleaned; None where absent.

    `payload` is the raw JSON (or other) bytes of the content. `occurred_us` is in microseconds
    since 1970. `dialect` names the convention that was recognised.
    """

    dialect: str
    event_id: str | None = None
    event_type: str | None = None
    schema_version: str | None = None
    source: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    trace_id: str | None = None
    occurred_us: int | None = None
    reason: str | None = None
    payload: bytes | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One event with its identity, as the read models know it.

    `part` counts the events of one record (a batch holds several). `error` is set when the
    record could not be decoded. `reason` is what a failed event says about itself. `keys` are the
    payload's identifiers, by which its flow is found, and `awaits` the schema without which it is
    not decoded; `attempt` tells a copy on a retry or dead letter topic, or one that eventviz sent,
    from the event itself. All three are known while it is stored only.
    """

    topic: str
    partition: int
    offset: int
    part: int = 0
    event_id: str
    correlation_id: str
    joined_by: JoinedBy
    causation_id: str | None
    type: str
    service: str
    schema_version: str | None
    timestamp_ms: int
    occurred_us: int | None
    key: str | None
    reason: str | None
    dialect: str
    error: str | None = None
    keys: tuple[str, ...] = ()
    awaits: str = ""
    attempt: Attempt | None = None

    @property
    def coordinates(self) -> str:
        """Return `topic[partition]@offset`."""
        return f"{self.topic}[{self.partition}]@{self.offset}"

    @property
    def time_us(self) -> int:
        """Return when it happened: the producer's time, else Kafka's."""
        return self.timestamp_ms * 1000 if self.occurred_us is None else self.occurred_us
