"""The editor's form: what was written, and what the registry would say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tracing.codec.formats.schema import Schema
from tracing.domain.errors import EventvizError
from tracing.domain.text import clean
from tracing.projections.version_reading import seen
from tracing.schemas import subject_reading as reading
from tracing.schemas.breaking import Breaking, WouldBreak, who_would_break
from tracing.schemas.compatibility import MAX_REASONS, Candidate
from tracing.schemas.current import current_registry, registry_name
from tracing.schemas.difference import Change, difference
from tracing.schemas.drafting import Written, written
from tracing.schemas.errors import BadSchemaError
from tracing.schemas.parsing import TYPES
from tracing.schemas.references import built_on, candidate, references_of
from tracing.schemas.registry import MAX_SUBJECT, Verdict, check_subject
from tracing.web.address import flow_url
from tracing.web.schemas.naming import types_of
from tracing.web.schemas.present import pretty, registry_state, subject_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracing.models import SubjectVersion

KINDS = {"AVRO": "Avro", "JSON": "JSON Schema"}
EXAMPLE = """\
version: 1
namespace: shop
type: record
name: OrderPlaced
fields:
  - {name: orderId, type: string}
  - {name: total, type: double}
  - {name: currency, type: string, default: EUR}
"""


class Given(msgspec.Struct, frozen=True):
    """The form's texts as they were written."""

    subject: str
    kind: str
    text: str
    references: str


def parse(values: Mapping[str, str]) -> Given:
    """Return what a form or an address says, as it is: nothing of it is lost."""
    return Given(
        values.get("subject", "").strip()[: MAX_SUBJECT + 1],
        values.get("kind", ""),
        values.get("text", ""),
        values.get("references", ""),
    )


def first(given: Given) -> dict[str, Any]:
    """Return the editor as it opens: with the subject's latest version, or an example."""
    row = _latest(given.subject)
    if row is None:
        begun = msgspec.structs.replace(given, text=given.text or EXAMPLE)
        return _context(begun, "AVRO", None)
    references = "\n".join(f"{one.name} {one.subject} {one.version}" for one in references_of(row))
    begun = msgspec.structs.replace(given, text=pretty(row.text), references=references)
    return _context(begun, row.type, row)


def checked(given: Given, *, look: bool) -> dict[str, Any]:
    """Return the editor with what the registry would say. Stores nothing.

    `look`: also whether the stored payloads fit, which takes a second or so.
    """
    kind = given.kind if given.kind in TYPES else "AVRO"
    row = _latest(given.subject)
    context = _context(given, kind, row)
    try:
        if not given.subject:
            raise BadSchemaError("Name the subject.")
        check_subject(given.subject)
        said = written(given.text, kind, given.references)
        verdict = current_registry().check_all(given.subject, said.draft)
    except BadSchemaError as error:
        return context | {"error": error.detail, "line": error.line}
    except EventvizError as error:
        return context | {"error": str(error)}
    return context | {
        "draft": said.draft,
        "verdict": verdict,
        "refused": not verdict.compatible,
        "changes": _changes(row, said),
        "note": _note(said, row),
        "level": _level(given.subject),
        "same": _same(row, verdict, said),
        "breaks": _breaks(given, said) if look else None,
    }


def number_of(text: str) -> int:
    """Return a version of an address, 0 for none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _context(given: Given, kind: str, row: SubjectVersion | None) -> dict[str, Any]:
    return {
        "given": given,
        "kind": kind,
        "kinds": KINDS,
        "latest": row,
        "subject_url": subject_url(given.subject) if row else "",
        "error": "",
        "line": 0,
        "draft": None,
        "verdict": None,
        "refused": False,
        "changes": [],
        "note": "",
        "level": "",
        "same": False,
        "breaks": None,
        **registry_state(),
    }


def _latest(subject: str) -> SubjectVersion | None:
    found = reading.subject(subject) if subject else None
    return reading.version(found, found.latest) if found and found.latest else None


def _changes(row: SubjectVersion | None, said: Written) -> list[Change]:
    """Return the differences from the latest version; none where they cannot be told."""
    if row is None:
        return []
    needed = built_on(row.subject.registry, said.draft.references, whole=False)
    try:
        return difference(candidate(row), Candidate(said.draft.type, said.draft.text, needed))
    except BadSchemaError:
        return []


def _breaks(
    given: Given, said: Written
) -> tuple[str, WouldBreak, list[tuple[Breaking, str]]] | None:
    """Return (event type, who would break, reasons with addresses); None for a type never seen."""
    draft = said.draft
    known = seen(types_of(given.subject, draft.text))
    name = next((one for one in types_of(given.subject, draft.text) if one in known), None)
    if name is None:
        return None
    row = reading.subject(given.subject)
    needed = built_on(row.registry if row else registry_name(), draft.references, whole=False)
    found = who_would_break(Schema(draft.type, draft.text, needed), name)
    shown = [
        (one, flow_url(one.correlation_id, one.event_id)) for one in found.findings[:MAX_REASONS]
    ]
    return name, found, shown


def _same(row: SubjectVersion | None, verdict: Verdict, said: Written) -> bool:
    return row is not None and verdict.compatible and not _changes(row, said)


def _note(said: Written, row: SubjectVersion | None) -> str:
    following = row.version + 1 if row else 1
    if not said.version or said.version == str(following):
        return ""
    written_as = clean(said.version, 20)
    return f"You wrote version {written_as}; the registry counts, so it becomes {following}."


def _level(subject: str) -> str:
    row = reading.level_row(subject)
    return row.level if row else reading.global_level()
