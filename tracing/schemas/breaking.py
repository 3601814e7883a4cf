"""Who would break: the newest payloads of a type against a schema that nobody registered yet."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from tracing.projections import reading
from tracing.projections.event_reading import stored
from tracing.schemas.checking import UncheckableError, check
from tracing.schemas.example import newest
from tracing.schemas.wire import MAX_LOOKED, MAX_PAYLOADS, Expectations, whole_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracing.codec.formats.schema import Schema
    from tracing.domain.event import Event

_CHUNK = 200


class Breaking(msgspec.Struct, frozen=True, kw_only=True):
    """Payloads of one service that a schema does not fit, for one reason at one field."""

    service: str
    path: str
    reason: str
    payloads: int
    event_id: str
    correlation_id: str


class WouldBreak(msgspec.Struct, frozen=True, kw_only=True):
    """The newest payloads of a type against a schema: how many of how many it breaks, by service.

    `failing` fit a version that is registered, if there is any, but not this schema; `broken`
    fit none of them either. `services` is (service, failing, looked at). `findings` are what is
    wrong with the failing ones, the most first.
    """

    looked: int
    failing: int
    services: tuple[tuple[str, int, int], ...]
    findings: tuple[Breaking, ...]
    broken: int = 0
    error: str = ""


def who_would_break(
    schema: Schema, event_type: str, *, limit: int = MAX_PAYLOADS, looked: int = MAX_LOOKED
) -> WouldBreak:
    """Return which of the last `limit` payloads of a type a schema breaks, by service.

    Looks through the newest `looked` events, copies of one event once; a few queries by key for
    a thousand of these, and for 200 payloads.
    """
    expectations, broken = Expectations(), 0
    whole: dict[str, int] = defaultdict(int)
    failed: dict[str, int] = defaultdict(int)
    groups: dict[tuple[str, str, str], list[Event]] = defaultdict(list)
    for event, payload, schema_id in _payloads(event_type, limit, looked):
        try:
            findings = [one for one in check(schema, payload) if one.listed]
        except UncheckableError as error:
            return WouldBreak(looked=0, failing=0, services=(), findings=(), error=str(error))
        whole[event.service] += 1
        if findings and expectations.fitted(event, payload, schema_id) is False:
            broken += 1
            continue
        failed[event.service] += bool(findings)
        for place in {(one.path, one.reason) for one in findings}:
            groups[event.service, *place].append(event)
    return WouldBreak(
        looked=sum(whole.values()),
        failing=sum(failed.values()),
        broken=broken,
        services=tuple((name, failed[name], whole[name]) for name in sorted(whole)),
        findings=tuple(
            Breaking(
                service=service,
                path=path,
                reason=reason,
                payloads=len(events),
                event_id=events[-1].event_id,
                correlation_id=events[-1].correlation_id,
            )
            for (service, path, reason), events in sorted(
                groups.items(), key=lambda item: (-len(item[1]), item[0])
            )
        ),
    )


def _payloads(event_type: str, limit: int, looked: int) -> Iterator[tuple[Event, bytes, str]]:
    """Yield the newest payloads of a type with the schemas that their frames name, oldest first."""
    found = newest([event_type], reading.head().position, looked)
    rows = list(itertools.islice(found, limit))[::-1]
    told: set[tuple[str, str]] = set()
    for start in range(0, len(rows), _CHUNK):
        items = stored(rows[start : start + _CHUNK])
        records = reading.stored_records(item.record for item in items)
        for item in items:
            record = records.get(item.record)
            said = None if record is None else reading.decode_stored(record)
            if record is not None and said is not None and item.event.part < len(said.payloads):
                framed = bool(said.schema)
                payload = whole_of(record) if framed else said.payloads[item.event.part]
                known = (item.event.correlation_id, item.event.event_id)
                # Copies in retry and dead letter topics are the same event, and come later.
                if payload is not None and known not in told:
                    told.add(known)
                    yield item.event, payload, said.schema
