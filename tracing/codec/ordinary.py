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


class Ordinary(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """A native envelope with all that identifies an event, and with nothing else.

    Its ids are clean as they stand; type, source and version are as they came. With another field
    the body may be of another dialect, or nest deeper than its payload tells.
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


def _brackets(value: bytes) -> int:
    # Counting compares byte by byte, taking out leaps from one to the next: a third of the time.
    return 2 * len(value) - len(value.replace(b"{", b"")) - len(value.replace(b"[", b""))


def read(value: bytes | None) -> Ordinary | None:
    """Return the envelope of a record that has no headers, None where `decode` must look at it.

    The record is whole, and its topic is an ordinary one.
    """
    if (
        not value
        or value[0] != 0x7B
        or len(value) > MAX_BYTES
        # Text in which nothing is escaped is clean as it stands.
        or b"\\" in value
        or _brackets(value) > MAX_DEPTH
    ):
        return None
    try:
        body = _parse(value)
    except _MALFORMED:
        return None
    event_id, flow, cause = body.event_id, body.correlation_id, body.causation_id
    # What may stand for an absent id, or is too long for one.
    doubtful = (
        event_id[:1] in fields.MAY_BE_ABSENT
        or flow[:1] in fields.MAY_BE_ABSENT
        or len(event_id) > MAX_ID
        or len(flow) > MAX_ID
        or (cause is not None and (cause[:1] in fields.MAY_BE_ABSENT or len(cause) > MAX_ID))
    )
    if doubtful:
        for text in (event_id, flow, cause):
            if text is not None and fields.identifier(text) != text:
                return None
    return body
