"""Publish an event: its envelope, its headers, and the trace it belongs to."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from opentelemetry import propagate
from opentelemetry.context import Context as TraceContext
from opentelemetry.trace import SpanKind, Tracer

from tracing.demo.events import SCHEMA_VERSION, TOPIC_OF, Kind, is_told_on

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tracing.domain.record import Header, Record
    from tracing.kafka.producer import Coordinates


Payload = dict[str, Any]


class ShopEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The envelope around every payload of the shop, as it stands on the wire."""

    event_id: str
    event_type: str
    schema_version: str | int
    timestamp: str
    correlation_id: str
    causation_id: str | None = None
    payload: Payload


class Context(msgspec.Struct, frozen=True):
    """Where an event comes from: its order, its flow, its cause, and its trace.

    The first event of a flow has no cause.
    """

    order_id: str
    correlation_id: str
    causation_id: str | None = None
    trace: TraceContext = msgspec.field(default_factory=TraceContext)


class Message(msgspec.Struct, frozen=True):
    """An event ready to be sent."""

    topic: str
    event: ShopEvent
    key: bytes
    value: bytes
    headers: tuple[Header, ...]


_decoder = msgspec.json.Decoder(ShopEvent)


def read_event(record: Record, topic: str = "") -> tuple[ShopEvent, Context] | None:
    """Return a record's event and the context for its effects; None if it is not the shop's.

    `topic` is where a copy on a retry topic was first.
    """
    try:
        event = _decoder.decode(record.value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if record.key is None or not is_told_on(event.event_type, topic or record.topic):
        return None
    carrier = {name: value.decode("latin-1") for name, value in record.headers if value}
    return event, Context(
        order_id=record.key.decode("utf-8", "replace"),
        correlation_id=event.correlation_id,
        causation_id=event.event_id,
        trace=propagate.extract(carrier, context=TraceContext()),
    )


class Carrier(Protocol):
    """Brings records to Kafka: a producer, or an outbox that does not give up."""

    def deliver(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()
    ) -> Coordinates:
        """Return where Kafka put it, once it has. Raises RecordNotSentError."""
        ...


class Publisher:
    """What one service says to the others."""

    def __init__(
        self,
        carrier: Carrier,
        *,
        source: str,
        tracer: Tracer,
        avro: Mapping[str, Callable[[ShopEvent], bytes]] | None = None,
    ) -> None:
        """`source` is the service's name, which travels in a header.

        `avro` has the topics that are not written in JSON.
        """
        self._avro = avro or {}
        self._carrier = carrier
        self._source = source
        self._tracer = tracer

    def publish_event(self, event_type: str, payload: Payload, context: Context) -> Coordinates:
        """Send one event and wait until it arrived. Raises RecordNotSentError."""
        return self.send(self.compose(event_type, payload, context))

    def compose(
        self,
        event_type: str,
        payload: Payload,
        context: Context,
        *,
        topic: str = "",
        kind: Kind = Kind.EVENT,
        version: str = SCHEMA_VERSION,
    ) -> Message:
        """Return the event as it happens now; `send` may follow later, or twice.

        An effect's id is made from its cause and its type: a service that handles the same event
        again after a crash says the same thing again, not another. Without a `topic` it is told
        where the choreographed shop tells it.
        """
        topic = topic or TOPIC_OF[event_type]
        event = ShopEvent(
            event_id=_event_id(event_type, context),
            event_type=event_type,
            schema_version=version,
            timestamp=_now(),
            correlation_id=context.correlation_id,
            causation_id=context.causation_id,
            payload=payload,
        )
        with self._tracer.start_as_current_span(
            f"send {topic}",
            context=context.trace,
            kind=SpanKind.PRODUCER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
                "messaging.destination.name": topic,
                "messaging.message.id": event.event_id,
                "messaging.message.conversation_id": event.correlation_id,
                "messaging.kafka.message.key": context.order_id,
                "eventviz.causation_id": event.causation_id or "",
            },
        ):
            trace: dict[str, str] = {}
            propagate.inject(trace)
        encode = self._avro.get(topic)
        return Message(
            topic=topic,
            event=event,
            key=context.order_id.encode(),
            value=encode(event) if encode else msgspec.json.encode(event),
            headers=(
                ("content-type", b"application/avro" if encode else b"application/json"),
                ("event-type", event_type.encode()),
                ("source", self._source.encode()),
                *([] if kind is Kind.EVENT else [("message-kind", kind.encode())]),
                *((name, value.encode()) for name, value in trace.items()),
            ),
        )

    def send(self, message: Message) -> Coordinates:
        """Send a composed event and wait until it arrived. Raises RecordNotSentError."""
        return self._carrier.deliver(message.topic, message.key, message.value, message.headers)

    def forward(self, record: Record, topic: str, headers: Sequence[Header]) -> Coordinates:
        """Send a record on to another topic, as it is but for its headers."""
        return self._carrier.deliver(topic, record.key, record.value, headers)


def _event_id(event_type: str, context: Context) -> str:
    if context.causation_id is None:
        return str(uuid.uuid4())
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{context.causation_id} {event_type}"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
