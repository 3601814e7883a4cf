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
from tracing.models import SubjectVersion
from tracing.projections.settings import current_rules
from tracing.projections.version_reading import version_number
from tracing.schemas.checking import Finding, Step, UncheckableError, check
from tracing.schemas.current import registry_name
from tracing.schemas.errors import BadSchemaError
from tracing.schemas.parsing import parse_json
from tracing.schemas.references import candidate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.event import Event
    from tracing.domain.record import Record

# So many of the newest events are looked through for payloads of one type.
MAX_LOOKED = 20_000
MAX_PAYLOADS = 1_000
# Of a subject's versions, so many are tried, the newest ones.
MAX_VERSIONS = 10


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


class Expectations:
    """Which schema a payload must fit; remembers what it was asked, so make one for each task."""

    def __init__(self) -> None:
        """Ask nothing yet."""
        self._registry = registry_name()
        self._known: dict[tuple[str, str, str, str], Expected] = {}
        self._versions: dict[tuple[str, str], dict[int, SubjectVersion]] = {}
        self._schemas: dict[int, Schema] = {}

    def of(self, event: Event, schema_id: str) -> Expected:
        """Return what an event's payload must fit; `schema_id` is what its frame names.

        One query for each type and topic.
        """
        key = (event.type, event.topic, event.schema_version or "", schema_id)
        if key not in self._known:
            self._known[key] = self._framed(schema_id) if schema_id else self._registered(event)
        return self._known[key]

    def fitted(self, event: Event, payload: bytes, schema_id: str) -> bool | None:
        """Tell whether a payload fits any version that is registered; None when there is none.

        With a frame, `payload` is the whole value, and the version is the one that it names.
        """
        expected = self.of(event, schema_id)
        if schema_id:
            framed = [] if expected.schema is None else [expected.schema]
            # What was read by its schema fits it.
            return True if framed and framed[0].type == "AVRO" else _fits_any(framed, payload)
        rows = self._versions.get((event.type, event.topic), {})
        newest = sorted(rows.values(), key=lambda row: -row.version)[:MAX_VERSIONS]
        return _fits_any([self._schema(row) for row in newest], payload)

    def _schema(self, row: SubjectVersion) -> Schema:
        if row.pk not in self._schemas:
            self._schemas[row.pk] = _by_id(str(row.number)) or _of_row(row)
        return self._schemas[row.pk]

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
        return Expected(subject, row.version, self._schema(row))

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


def _fits_any(schemas: Iterable[Schema], payload: bytes) -> bool | None:
    """Tell whether a payload fits one of these; None when none of them says anything."""
    told = None
    for schema in schemas:
        try:
            if not any(one.listed for one in check(schema, payload)):
                return True
        except UncheckableError:
            continue
        told = False
    return told


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
