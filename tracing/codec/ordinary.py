"""Plain native envelopes in one step, as most records of a busy topic are.

`decode` understands everything, and asks for evidence at each step. What is read here is what it
would say (a Hypothesis test holds the two together); None leaves the record to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields
from tracing.codec.keys import MAX_BYTES
from tracing.codec.limits import MAX_DEPTH
from tracing.domain.text import MAX_ID
from tracing.domain.topology import TopicRole, kind_of

if TYPE_CHECKING:
    from tracing.codec.rules import Rules
    from tracing.domain.record import Record


class Ordinary(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """A native envelope with all that identifies an event, and with nothing else.

    Ids are cleaned; type, source and version stand as they came. With another field the body may
    be of another dialect, or nest deeper than its payload tells.
    """

    event_id: str
    event_type: str
    correlation_id: str
    source: str | None = None
    schema_version: str | int | None = None
    timestamp: object = None
    causation_id: str | None = None
    payload: dict[str, object] = {}


_parse = msgspec.json.Decoder(Ordinary).decode
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def ordinary_topic(topic: str, rules: Rules) -> bool:
    """Tell whether the records of a topic may be ordinary."""
    kind = kind_of(topic, rules.topics)
    return kind.role is TopicRole.ORDINARY and rules.mapping_of(topic) is None


def name_of(body: Ordinary) -> tuple[str, str, str | None] | None:
    """Return type, service and version as `decode` would; None where it has more to say."""
    event_type = fields.label(body.event_type)
    if event_type is None:
        return None
    return event_type, fields.label(body.source) or "", fields.label(body.schema_version)


def read(record: Record) -> Ordinary | None:
    """Return the envelope of a record of an ordinary topic, None where `decode` must look at it."""
    value = record.value
    if (
        not value
        or value[0] != 0x7B
        or len(value) > MAX_BYTES
        or record.headers
        or record.error is not None
        or record.value_sha256 is not None
        # Text in which nothing is escaped is clean as it stands.
        or b"\\" in value
        or value.count(b"{") + value.count(b"[") > MAX_DEPTH
    ):
        return None
    try:
        body = _parse(value)
    except _MALFORMED:
        return None
    for text in (body.event_id, body.correlation_id, body.causation_id):
        # What may stand for an absent id, or is too long for one.
        doubtful = text is not None and (text[:1] in fields.MAY_BE_ABSENT or len(text) > MAX_ID)
        if doubtful and fields.identifier(text) != text:
            return None
    return body
