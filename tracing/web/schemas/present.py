"""What the schemas' pages show."""

from __future__ import annotations

import json
from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import msgspec

from tracing.projections.version_reading import Seen, oldest_produced, seen, seen_framed
from tracing.schemas import subject_reading as reading
from tracing.schemas.current import registry_name
from tracing.schemas.difference import Change, difference
from tracing.schemas.errors import BadSchemaError
from tracing.schemas.example import example
from tracing.schemas.references import candidate, references_of
from tracing.schemas.registry import Reference
from tracing.schemas.violations import violations
from tracing.web.address import encode_id, flow_url
from tracing.web.context import now_ms
from tracing.web.query import address
from tracing.web.schemas.levels import levels
from tracing.web.schemas.naming import types_of

if TYPE_CHECKING:
    import datetime as dt

    from tracing.models import RegistryHead, Subject, SubjectVersion

# A version that nobody wrote for this long is not produced any more.
PRODUCED_WITHIN_MS = 7 * 86_400_000
MAX_VIOLATIONS = 20
MAX_EXAMPLE = 4_000
MAX_SHOWN = 60_000
# Finding like lines takes the product of both lengths.
MAX_MARKED = 600


class Row(msgspec.Struct, frozen=True):
    """A subject as a line; `oldest` is its oldest version still produced, by whom."""

    line: reading.Line
    url: str
    at_ms: int | None
    who: str
    oldest: str
    by: tuple[str, ...]
    behind: bool


class VersionRow(msgspec.Struct, frozen=True):
    """A version as a line: who registered it when, who writes it, who builds on it."""

    row: SubjectVersion
    at_ms: int
    told: bool
    url: str
    seen: list[Seen]
    references: list[tuple[Reference, str]]
    users: list[tuple[str, int, str]]
    deleted_ms: int | None

    @property
    def by_service(self) -> list[tuple[str, int]]:
        """Return how many records each service wrote, of whatever types."""
        counts = Counter[str]()
        for one in self.seen:
            counts[one.service] += one.records
        return sorted(counts.items())

    @property
    def last_ms(self) -> int:
        """Return when it was last seen, to ten minutes; never in the future."""
        return min(max((one.last_ms for one in self.seen), default=0), now_ms())


class Side(msgspec.Struct, frozen=True):
    """One of two versions side by side."""

    row: SubjectVersion
    text: str
    cut: bool

    @property
    def lines(self) -> list[str]:
        """Return the text by lines."""
        return self.text.split("\n")


def subject_url(name: str) -> str:
    """Return the page of a subject."""
    return f"/schemas/subject/{encode_id(name)}"


def overview(text: str, after: str, *, deleted: bool) -> dict[str, Any]:
    """Return what /schemas/ shows. A bounded number of queries."""
    page = reading.subjects(text=text, after=after, deleted=deleted)
    kept = {"q": text, "deleted": "1" if deleted else ""}
    return {
        "rows": _rows(page.lines),
        "q": text,
        "after": after,
        "deleted": deleted,
        "turned": address("/schemas/", {"q": text, "deleted": "" if deleted else "1"}),
        "next": address("/schemas/", {**kept, "after": page.next}) if page.next else "",
        "level": reading.global_level(),
        "levels": levels(),
        "now_ms": now_ms(),
        **registry_state(),
    }


def detail(name: str, old: int, new: int) -> dict[str, Any] | None:
    """Return what a subject's page shows, None for one that does not exist."""
    subject = reading.subject(name)
    if subject is None:
        return None
    rows = reading.versions(subject)
    own = reading.level_row(name)
    right = _chosen(rows, new) or _chosen(rows, subject.latest) or rows[0].version
    left = _chosen(rows, old) or next((r.version for r in rows if r.version < right), 0)
    sides = [_side(subject, number) for number in (left, right)]
    version_rows = _version_rows(subject, rows, sides[1])
    return {
        "subject": subject,
        "url": subject_url(name),
        "versions": version_rows,
        "numbers": [row.version for row in rows],
        "old": sides[0],
        "new": sides[1],
        "sides": [(side, lines, _example(side, version_rows)) for side, lines in _marked(*sides)],
        **compared(*sides),
        "violations": [
            (one, flow_url(one.correlation_id, one.event_id) if one.event_id else "")
            for one in violations(subject=name, limit=MAX_VIOLATIONS)
        ],
        "own_level": own.level if own else "",
        "own": own,
        "own_ms": ms(own.set_at) if own else 0,
        "level": reading.global_level(),
        "levels": levels(),
        "now_ms": now_ms(),
        **registry_state(),
    }


def compared(old: Side | None, new: Side | None) -> dict[str, Any]:
    """Return the differences of two versions, and what hinders telling them."""
    found: list[Change] = []
    hindered = ""
    if old is not None and new is not None:
        try:
            found = difference(candidate(old.row), candidate(new.row))
        except BadSchemaError as error:
            hindered = str(error)
    return {"differences": found, "hindered": hindered}


def registry_state() -> dict[str, Any]:
    """Return where entries are kept, and how a mirror stands."""
    head: RegistryHead | None = reading.mirror()
    return {
        "registry": registry_name(),
        "mirror": head,
        "mirrored_ms": ms(head.mirrored_at) if head and head.mirrored_at else None,
    }


def pretty(text: str) -> str:
    """Return a schema's text as it reads best; as it is when it is no JSON or far too long."""
    if len(text) > MAX_SHOWN:
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def ms(at: dt.datetime) -> int:
    """Return a time in milliseconds since 1970."""
    return int(at.timestamp() * 1_000)


def _rows(lines: list[reading.Line]) -> list[Row]:
    types = {line.subject.pk: types_of(line.subject.name, line.head) for line in lines}
    found = seen([one for names in types.values() for one in names])
    framed = seen_framed(number for line in lines for number in line.ids)
    since = now_ms() - PRODUCED_WITHIN_MS
    rows = []
    for line in lines:
        here = _unframed(found, types[line.subject.pk])
        # The version is the subject's, whatever the envelope calls it.
        here += [
            msgspec.structs.replace(one, version=str(version))
            for number, version in line.ids.items()
            for one in framed.get(number, ())
        ]
        oldest = oldest_produced(here, since_ms=since)
        number = oldest[0].number if oldest else None
        rows.append(
            Row(
                line,
                subject_url(line.subject.name),
                _at(line.latest),
                line.latest.registered_by if line.latest else "",
                f"v{number}" if number is not None else "",
                tuple(sorted({one.service for one in oldest})),
                behind=number is not None and number < line.subject.latest,
            )
        )
    return rows


def _unframed(found: dict[str, list[Seen]], types: list[str]) -> list[Seen]:
    """Return what was seen of these types without a frame, which would name a schema by its id."""
    return [one for name in types for one in found.get(name, ()) if not one.schema]


def _at(row: SubjectVersion | None) -> int | None:
    return ms(row.registered_at or row.seen_at) if row else None


def _chosen(rows: list[SubjectVersion], number: int) -> int:
    return number if any(row.version == number for row in rows) else 0


def _side(subject: Subject, number: int) -> Side | None:
    row = reading.version(subject, number) if number else None
    if row is None:
        return None
    text = pretty(row.text)
    return Side(row, text[:MAX_SHOWN], len(text) > MAX_SHOWN)


def _marked(old: Side | None, new: Side | None) -> list[tuple[Side, list[tuple[str, bool]]]]:
    """Return both sides, each line with whether the other side lacks it."""
    if old is None or new is None or max(len(old.lines), len(new.lines)) > MAX_MARKED:
        return [(side, [(line, False) for line in side.lines]) for side in (old, new) if side]
    same = SequenceMatcher(None, old.lines, new.lines, autojunk=False).get_matching_blocks()
    left = {at for block in same for at in range(block.a, block.a + block.size)}
    right = {at for block in same for at in range(block.b, block.b + block.size)}
    return [
        (side, [(line, at not in kept) for at, line in enumerate(side.lines)])
        for side, kept in ((old, left), (new, right))
    ]


def _example(side: Side, rows: list[VersionRow]) -> tuple[str, str, int] | None:
    """Return (payload, address, time) of a version's newest payload, None without one."""
    here = next((one.seen for one in rows if one.row.version == side.row.version), [])
    framed = next((one.schema for one in here if one.schema), "")
    found = example({one.type for one in here}, {one.version for one in here}, framed)
    if found is None:
        return None
    text = pretty(found.payload.decode("utf-8", "replace"))[:MAX_EXAMPLE]
    return text, flow_url(found.correlation_id, found.event_id), found.timestamp_ms


def _version_rows(
    subject: Subject, rows: list[SubjectVersion], newest: Side | None
) -> list[VersionRow]:
    head = newest.row.text if newest else ""
    types = types_of(subject.name, head)
    framed = seen_framed(str(row.number) for row in rows)
    here = [*_unframed(seen(types), types), *(one for each in framed.values() for one in each)]
    using = reading.users(subject, [row.version for row in rows])
    return [
        VersionRow(
            row=row,
            at_ms=ms(row.registered_at or row.seen_at),
            told=row.registered_at is not None,
            url=_beside(subject, rows, row),
            seen=[one for one in here if _is_of(one, row)],
            references=[(one, subject_url(one.subject)) for one in references_of(row)],
            users=[
                (name, n, subject_url(name)) for number, name, n in using if number == row.version
            ],
            deleted_ms=ms(row.deleted_at) if row.deleted_at else None,
        )
        for row in rows
    ]


def _beside(subject: Subject, rows: list[SubjectVersion], row: SubjectVersion) -> str:
    before = next((one.version for one in rows if one.version < row.version), 0)
    pair = {"old": str(before or ""), "new": str(row.version)}
    return address(subject_url(subject.name), pair)


def _is_of(one: Seen, row: SubjectVersion) -> bool:
    """Tell whether what was seen is this version: by the id in the frame, else by its number."""
    return one.schema == str(row.number) if one.schema else one.number == row.version
