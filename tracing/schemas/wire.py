"""Payloads on the wire against the schema that they name, or that is registered for their type.

A record's frame names a schema by its id. An envelope names a type and a version: then the schema
is that version of the first subject that there is of `<type>` (RecordNameStrategy),
`<topic>-<type>` (TopicRecordNameStrategy) and `<topic>-value` (TopicNameStrategy, when the schema
itself bears the type's name). The latter describes the payload, without the envelope around it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from tracing.codec.formats.content import content
from tracing.codec.formats.schema import Schema, SchemaRef
from tracing.domain.errors import DecodeError
from tracing.models import Event as EventRow
from tracing.models import Node, SubjectVersion
from tracing.projections import reading
from tracing.projections.settings import current_rules
from tracing.projections.version_reading import version_number
from tracing.schemas.checking import Finding, Step, UncheckableError, check
from tracing.schemas.current import registry_name
from tracing.schemas.errors import BadSchemaError
from tracing.schemas.parsing import parse_json
from tracing.schemas.references import candidate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracing.domain.event import Event
    from tracing.domain.record import Record

# So many of the newest events are looked through for payloads of one type.
MAX_LOOKED = 20_000
MAX_PAYLOADS = 1_000
_CHUNK = 200


class Expected(msgspec.Struct, frozen=True):
    """The schema that a payload must fit, and what it is called; empty when nobody says.

    `unknown` tells that there is a subject, but nobody registered this version.
    """

    subject: str = ""
    version: int | None = None
    schema: Schema | None = None
    unknown: bool = False


class Checked(msgspec.Struct, frozen=True):
    """What came of a check. `error` says why nothing could be checked."""

    expected: Expected
    findings: tuple[Finding, ...] = ()
    error: str = ""

    @property
    def violations(self) -> list[Finding]:
        """Return what breaks the schema."""
        return [one for one in self.findings if one.listed]


class Breaking(msgspec.Struct, frozen=True, kw_only=True):
    """Payloads of one service that a schema does not fit, for one reason at one field."""

    service: str
    path: str
    reason: str
    payloads: int
    event_id: str
    correlation_id: str


class WouldBreak(msgspec.Struct, frozen=True, kw_only=True):
    """The newest payloads of a type against a schema: how many of how many fail, by service.

    `services` is (service, failing, looked at). `findings` are the violations, the most first.
    """

    looked: int
    failing: int
    services: tuple[tuple[str, int, int], ...]
    findings: tuple[Breaking, ...]
    error: str = ""


class Expectations:
    """Which schema a payload must fit; remembers what it was asked, so make one for each task."""

    def __init__(self) -> None:
        """Ask nothing yet."""
        self._registry = registry_name()
        self._known: dict[tuple[str, str, str, str], Expected] = {}
        self._versions: dict[tuple[str, str], dict[int, SubjectVersion]] = {}

    def of(self, event: Event, schema_id: str) -> Expected:
        """Return what an event's payload must fit; `schema_id` is what its frame names.

        One query for each type and topic.
        """
        key = (event.type, event.topic, event.schema_version or "", schema_id)
        if key not in self._known:
            self._known[key] = self._framed(schema_id) if schema_id else self._registered(event)
        return self._known[key]

    def _framed(self, schema_id: str) -> Expected:
        row = None
        if schema_id.isdigit():
            rows = SubjectVersion.objects.filter(number=int(schema_id)).select_related("subject")
            row = rows.filter(subject__registry=self._registry).order_by("id").first()
        schema = _by_id(schema_id)
        if row is None:
            return Expected(schema=schema)
        return Expected(row.subject.name, row.version, schema or _of_row(row))

    def _registered(self, event: Event) -> Expected:
        place = (event.type, event.topic)
        if place not in self._versions:
            self._versions[place] = self._of_type(*place)
        versions = self._versions[place]
        if not versions or not event.schema_version:
            return Expected()
        subject = next(iter(versions.values())).subject.name
        number = version_number(event.schema_version)
        row = None if number is None else versions.get(number)
        if row is None:
            return Expected(subject, number, unknown=True)
        return Expected(subject, row.version, _by_id(str(row.number)) or _of_row(row))

    def _of_type(self, event_type: str, topic: str) -> dict[int, SubjectVersion]:
        """Return the versions of the subject that a type on a topic has. One query."""
        names = (event_type, f"{topic}-{event_type}", f"{topic}-value")
        rows = SubjectVersion.objects.filter(
            subject__registry=self._registry, subject__name__in=names, deleted_at=None
        ).select_related("subject")
        by_name: dict[str, dict[int, SubjectVersion]] = defaultdict(dict)
        for row in rows.order_by("version"):
            if row.subject.name != names[2] or _own_name(row) == event_type:
                by_name[row.subject.name][row.version] = row
        return next((by_name[name] for name in names if name in by_name), {})


def check_event(
    event: Event,
    payload: bytes | None,
    schema_id: str,
    expectations: Expectations,
    record: Record,
) -> Checked:
    """Return whether an event fits its schema. A query or two, if any.

    A frame's schema is of the whole value; what was read by it, as Avro is, fits. Steps of
    findings lead through the payload; they are empty for what is wrong beside it.
    """
    if event.error is not None:
        return Checked(Expected())
    expected = expectations.of(event, schema_id)
    if expected.schema is None or (schema_id and expected.schema.type == "AVRO"):
        return Checked(expected)
    described = whole_of(record) if schema_id else payload
    try:
        findings = check(expected.schema, described)
    except UncheckableError as error:
        return Checked(expected, error=str(error))
    envelope = within(described, payload) if schema_id else ()
    return Checked(expected, tuple(_inside(one, envelope) for one in findings))


def whole_of(record: Record) -> bytes | None:
    """Return a framed record's value as JSON, as far as it is known. Raises nothing."""
    try:
        return content(record, current_rules().schema_of).value
    except DecodeError:
        return None


def within(value: bytes | None, payload: bytes | None) -> tuple[Step, ...]:
    """Return the steps that lead from a value to its payload: `()` or one name."""
    try:
        parts = msgspec.json.decode(value or b"", type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()
    same = (payload or b"").strip()
    return next(((name,) for name, raw in parts.items() if bytes(raw).strip() == same), ())


def _inside(finding: Finding, envelope: tuple[Step, ...]) -> Finding:
    """Return a finding with the steps from the payload on."""
    if not envelope:
        return finding
    inside = finding.steps[: len(envelope)] == envelope
    steps = finding.steps[len(envelope) :] if inside else ()
    return msgspec.structs.replace(finding, steps=steps)


def who_would_break(
    schema: Schema, event_type: str, *, limit: int = MAX_PAYLOADS, looked: int = MAX_LOOKED
) -> WouldBreak:
    """Return which of the last `limit` payloads of a type a schema does not fit, by service.

    Looks through the newest `looked` events; a few queries by key for 200 payloads.
    """
    whole: dict[str, int] = defaultdict(int)
    failed: dict[str, int] = defaultdict(int)
    groups: dict[tuple[str, str, str], list[Event]] = defaultdict(list)
    for event, payload in _payloads(event_type, limit, looked):
        try:
            findings = [one for one in check(schema, payload) if one.listed]
        except UncheckableError as error:
            return WouldBreak(looked=0, failing=0, services=(), findings=(), error=str(error))
        whole[event.service] += 1
        failed[event.service] += bool(findings)
        for place in {(one.path, one.reason) for one in findings}:
            groups[event.service, *place].append(event)
    return WouldBreak(
        looked=sum(whole.values()),
        failing=sum(failed.values()),
        services=tuple((name, failed[name], whole[name]) for name in sorted(whole)),
        findings=tuple(
            Breaking(
                service=service,
                path=path,
                reason=reason,
                payloads=len(events),
                event_id=events[0].event_id,
                correlation_id=events[0].correlation_id,
            )
            for (service, path, reason), events in sorted(
                groups.items(), key=lambda item: (-len(item[1]), item[0])
            )
        ),
    )


def _payloads(event_type: str, limit: int, looked: int) -> Iterator[tuple[Event, bytes]]:
    """Yield the newest payloads of a type, the newest first."""
    nodes = list(Node.objects.filter(type=event_type).values_list("id", flat=True)[:1_000])
    newest = reading.head().position
    rows = EventRow.objects.filter(
        position__gt=newest - looked, node_id__in=nodes, error=None
    ).order_by("-position")
    positions = list(rows.values_list("position", flat=True)[:limit])
    for start in range(0, len(positions), _CHUNK):
        items = reading.events_at(positions[start : start + _CHUNK])
        records = reading.stored_records(item.record for item in items)
        for item in reversed(items):
            record = records.get(item.record)
            said = None if record is None else reading.decode_stored(record)
            if record is not None and said is not None and item.event.part < len(said.payloads):
                framed = bool(said.schema)
                payload = whole_of(record) if framed else said.payloads[item.event.part]
                if payload is not None:
                    yield item.event, payload


def types_of_row(row: SubjectVersion) -> set[str]:
    """Return the event types whose payloads a version may describe; its subject comes with it."""
    parts = row.subject.name.split("-")
    found = {"-".join(parts[begin:]) for begin in range(len(parts))}
    return {*found, _own_name(row)} - {""}


def _by_id(schema_id: str) -> Schema | None:
    """Return a schema with its references, None when it is not known."""
    schema_of = current_rules().schema_of
    return schema_of(SchemaRef("id", schema_id)) if schema_of and schema_id.isdigit() else None


def _of_row(row: SubjectVersion) -> Schema:
    """Return a version's schema, with those that it builds on as far as they are known."""
    found = candidate(row)
    return Schema(found.type, found.text, found.built_on)


def _own_name(row: SubjectVersion) -> str:
    """Return what a schema calls itself: Avro's record name, JSON Schema's title."""
    try:
        value = parse_json(row.text)
    except BadSchemaError:
        return ""
    said = value.get("name" if row.type == "AVRO" else "title") if isinstance(value, dict) else ""
    return said if isinstance(said, str) else ""
