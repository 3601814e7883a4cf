"""Decide per record, by evidence, what it says."""

from __future__ import annotations

import msgspec

from tracing.codec.depth import too_deep
from tracing.codec.dialects import cloudevents, headers, mapped, masstransit, native, nservicebus
from tracing.codec.dialects.headers import Said
from tracing.codec.failures import attempt_of
from tracing.codec.formats import framing
from tracing.codec.formats.content import content
from tracing.codec.formats.schema import SchemaNotKnownError
from tracing.codec.keys import search_keys
from tracing.codec.limits import MAX_DEPTH
from tracing.codec.rules import Rules
from tracing.domain.errors import DecodeError
from tracing.domain.event import Envelope, Event
from tracing.domain.identity import identify, undecodable
from tracing.domain.record import Record

BARE = "none"
DEFAULT_RULES = Rules()
_JSON = {b"{", b"["}


class Decoded(msgspec.Struct, frozen=True):
    """The events of one record, with the payload of each as raw bytes; or the error.

    `format` and `schema` (its id) are those of the record's frame, empty without one; a schema
    without a format is not known yet.
    """

    events: tuple[Event, ...]
    payloads: tuple[bytes | None, ...]
    format: str = ""
    schema: str = ""


def decode(record: Record, rules: Rules = DEFAULT_RULES) -> Decoded:
    """Return at least one event for every record.

    A record that cannot be decoded gives one event with `error` set: it is shown, and never
    stops the rest. The result depends on the stored record and the rules alone, so a rebuild
    repeats it.
    """
    if record.error is not None:
        return _failed(record, rules, record.error)
    if record.truncated:
        kept = len(record.value or b"")
        return _failed(
            record,
            rules,
            f"The value has {record.value_length:,} bytes; only the first {kept:,} are kept.",
        )
    try:
        found = content(record, rules.schema_of)
        envelopes = _envelopes(record, found.value, rules)
    except SchemaNotKnownError as error:
        return _failed(record, rules, error.reason, awaits=error.ref.text)
    except DecodeError as error:
        return _failed(record, rules, error.reason)
    except UnicodeDecodeError:
        return _failed(record, rules, "The value is not UTF-8.")
    except msgspec.ValidationError as error:
        return _failed(record, rules, f"The envelope has a field of a wrong type: {error}.")
    except msgspec.DecodeError as error:
        return _failed(record, rules, f"The value begins like JSON but is not: {error}.")
    attempt = attempt_of(record, rules.topics)
    if len(envelopes) == 1:
        (one,) = envelopes
        events: tuple[Event, ...] = (
            identify(record, one, 0, search_keys(one.payload, rules.key_fields), attempt),
        )
        payloads: tuple[bytes | None, ...] = (one.payload,)
    else:
        events = tuple(
            identify(record, one, part, search_keys(one.payload, rules.key_fields), attempt)
            for part, one in enumerate(envelopes)
        )
        payloads = tuple(one.payload for one in envelopes)
    return Decoded(events, payloads, found.format, found.schema)


def payloads(record: Record, rules: Rules) -> tuple[bytes | None, ...]:
    """Return what `decode` says that a decodable record's events carry, for half of its time.

    Raises DecodeError, UnicodeDecodeError or msgspec.DecodeError where `decode` gives an error.
    """
    found = content(record, rules.schema_of)
    return tuple([one.payload for one in _envelopes(record, found.value, rules)])


def _envelopes(record: Record, value: bytes | None, rules: Rules) -> list[Envelope]:
    """Return one envelope or several, by the first dialect whose evidence is there."""
    begins = b"" if value is None else value.lstrip()[:1]
    if value is not None and begins in _JSON and too_deep(value):
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
    if found is None and value is not None and begins in _JSON:
        found = _by_body(record, said, value, begins)
    if found is not None:
        return found
    return headers.read(said, value) if said.identifies else [_bare(said, value)]


def _by_body(record: Record, said: Said, value: bytes, begins: bytes) -> list[Envelope] | None:
    if begins == b"[":
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


def _failed(record: Record, rules: Rules, reason: str, *, awaits: str = "") -> Decoded:
    framed = framing.find(record) if awaits else None
    attempt = attempt_of(record, rules.topics)
    return Decoded(
        events=(undecodable(record, reason, awaits=awaits, attempt=attempt),),
        payloads=(None,),
        schema=framed.ref.label if framed else "",
    )
