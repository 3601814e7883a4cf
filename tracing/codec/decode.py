"""Decide per record, by evidence, what it says."""

from __future__ import annotations

import re

import msgspec

from tracing.codec.dialects import cloudevents, headers, mapped, masstransit, native, nservicebus
from tracing.codec.dialects.headers import Said
from tracing.codec.keys import search_keys
from tracing.codec.limits import MAX_DEPTH
from tracing.codec.rules import Rules
from tracing.domain.errors import DecodeError
from tracing.domain.event import Envelope, Event
from tracing.domain.identity import identify, undecodable
from tracing.domain.record import Record

BARE = "none"
DEFAULT_RULES = Rules()

# Possessive, and one that never ends matches too: no text makes it look at a byte twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")


class Decoded(msgspec.Struct, frozen=True):
    """The events of one record, with the payload of each as raw bytes; or the error."""

    events: tuple[Event, ...]
    payloads: tuple[bytes | None, ...]


def decode(record: Record, rules: Rules = DEFAULT_RULES) -> Decoded:
    """Return at least one event for every record.

    A record that cannot be decoded gives one event with `error` set: it is shown, and never
    stops the rest. The result depends on the stored record and the rules alone, so a rebuild
    repeats it.
    """
    if record.error is not None:
        return _failed(record, record.error)
    if record.truncated:
        kept = len(record.value or b"")
        return _failed(
            record,
            f"The value has {record.value_length:,} bytes; only the first {kept:,} are kept.",
        )
    try:
        envelopes = _envelopes(record, rules)
    except DecodeError as error:
        return _failed(record, error.reason)
    except UnicodeDecodeError:
        return _failed(record, "The value is not UTF-8.")
    except msgspec.ValidationError as error:
        return _failed(record, f"The envelope has a field of a wrong type: {error}.")
    except msgspec.DecodeError as error:
        return _failed(record, f"The value begins like JSON but is not: {error}.")
    return Decoded(
        events=tuple(
            identify(record, one, part, search_keys(one.payload, rules.key_fields))
            for part, one in enumerate(envelopes)
        ),
        payloads=tuple(one.payload for one in envelopes),
    )


def _envelopes(record: Record, rules: Rules) -> list[Envelope]:
    """Return one envelope or several, by the first dialect whose evidence is there."""
    value = record.value
    is_json = value is not None and value.lstrip()[:1] in {b"{", b"["}
    if value is not None and is_json and too_deep(value):
        raise DecodeError(f"The JSON nests deeper than {MAX_DEPTH} levels.")
    mapping = rules.mapping_of(record.topic) if rules.mappings else None
    if mapping is not None:
        found = mapped.read(record, value, mapping)
        if found is not None:
            return found
    said = headers.said_by(record)
    found = cloudevents.read(record, said, value)
    if found is None and said.nservicebus:
        found = nservicebus.read(record, value)
    if found is None and value is not None and is_json:
        found = _by_body(record, said, value)
    if found is not None:
        return found
    return headers.read(said, value) if said.identifies else [_bare(said, value)]


def _by_body(record: Record, said: Said, value: bytes) -> list[Envelope] | None:
    if value.lstrip()[:1] == b"[":
        # Any JSON is an event of some kind; what is only almost JSON is an error.
        msgspec.json.decode(value, type=msgspec.Raw)
        return None
    body = native.parse(value)
    if body.specversion is not None:
        return cloudevents.structured(record, value)
    if body.message_id is not None and isinstance(body.message_type, list):
        return masstransit.read(record, value)
    return native.read(said, body)


def _bare(said: Said, value: bytes | None) -> Envelope:
    """Return what is known of a record without an envelope: its type's name, perhaps."""
    return Envelope(
        dialect=BARE,
        event_type=said.event_type,
        source=said.source,
        trace_id=said.trace_id,
        payload=value,
    )


def _failed(record: Record, reason: str) -> Decoded:
    return Decoded(events=(undecodable(record, reason),), payloads=(None,))


def too_deep(value: bytes) -> bool:
    """Tell whether brackets nest deeper than `MAX_DEPTH`.

    Few brackets cannot; else strings and everything but brackets are dropped, and each pass
    removes the innermost pairs: time is linear, and no recursion takes part, so the answer does
    not depend on who asks. Malformed JSON is left to the parser, unless so many brackets have no
    partner that it would have to go as deep before it noticed.
    """
    if value.count(b"[") + value.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", value).translate(None, _NO_BRACKET)
    for _ in range(MAX_DEPTH):
        inner = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(inner) == len(brackets):
            return len(inner) > MAX_DEPTH
        if not inner:
            return False
        brackets = inner
    return True
