"""Which parts of unknown records probably carry an envelope's fields, by names and by values.

Pure: records in, candidates out. An id is unique in each record, a correlation is shared by
several, a cause equals the id of another record; names decide between those that fit.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields
from tracing.codec.leaves import Leaf, Leaves
from tracing.codec.rules import FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CANDIDATES = 3
# What more records share on average is not called a flow without a name that says so.
MOST_IN_A_FLOW = 6
# Of ids that are named so one in five may come again: records are delivered twice, and retried.
MOST_COPIES = 0.2
# From here on a candidate is good enough to be filled in.
CONVINCING = 2.0


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Last names of a path or header, without case and punctuation.
NAMES: dict[str, frozenset[str]] = {
    "event_id": _words("eventid messageid msgid id uuid guid eventuuid recordid"),
    "event_type": _words("eventtype type eventname messagetype name kind action event topic"),
    "schema_version": _words("schemaversion eventversion version ver"),
    "source": _words("source service servicename producer application app origin publisher sender"),
    "correlation_id": _words(
        "correlationid correlation correlid corrid conversationid traceid sagaid processid"
        " workflowid requestid sessionid orderid flowid transactionid txid contextid"
    ),
    "causation_id": _words(
        "causationid causation cause causeid causedby parentid parent parenteventid"
        " parentmessageid inreplyto replyto relatedto initiatorid triggerid triggeredby"
        " previousid sourceeventid"
    ),
    "occurred": _words(
        "timestamp time ts datetime date occurredat occurredon occurred createdat created sentat"
        " senttime eventtime publishedat at when"
    ),
    "payload": _words("payload data body content details message"),
}
# Within an object that is named like a service these say which one.
_OF_A_SERVICE = frozenset({"name", "id"})
_PLAIN = re.compile(r"[^a-z0-9]")
_LAST = re.compile(r"([^.\[\]]+)(?:\[\d+\])?$")
_TYPE = re.compile(r"[A-Za-z][\w.:/-]{2,149}")


class Candidate(msgspec.Struct, frozen=True):
    """A path or `header:name` that may carry a field, in how many records, and why we think so."""

    path: str
    score: float
    present: int
    why: str


class _Column(msgspec.Struct):
    """One path over all records of a topic: the values, by the number of the record."""

    path: str
    name: str
    values: dict[int, str]
    raw: dict[int, Leaf]

    @property
    def distinct(self) -> int:
        return len(set(self.values.values()))

    @property
    def identifies(self) -> bool:
        """Tell whether it says which event each record is, as its name claims."""
        copies = len(self.values) - self.distinct
        return bool(self.named("event_id")) and copies <= len(self.values) * MOST_COPIES

    def named(self, field: str) -> float:
        """Return 2 for a name that is usual for a field, 1 for one that ends like it, else 0."""
        if self.name in _OF_A_SERVICE and _parent(self.path) in NAMES["source"]:
            return 2.0 if field == "source" else 0.0
        return _named(field, self.name)


def suggest(
    records: Sequence[Leaves], others: Sequence[Leaves] = ()
) -> dict[str, tuple[Candidate, ...]]:
    """Return candidates by field of the envelope, the best first.

    `records` are the leaves of one topic's records, `others` those of other topics: a correlation
    or a cause often shows only across topics.
    """
    columns = _columns(records)
    ids = _ids(columns, others)
    # In how many records a value stands under a name: that is what shares a correlation.
    shared: Counter[tuple[str, str]] = Counter()
    for one in (*records, *others):
        shared.update(
            {(_name(path), text) for path, leaf in one.items() if (text := _text(leaf)) is not None}
        )
    scored: dict[str, list[Candidate]] = {field: [] for field in FIELDS}
    for column in columns:
        for field in FIELDS:
            candidate = _judge(field, column, len(records), ids, shared)
            if candidate is not None:
                scored[field].append(candidate)
    return {
        field: tuple(sorted(found, key=_order)[:MAX_CANDIDATES]) for field, found in scored.items()
    }


def filled(suggested: dict[str, tuple[Candidate, ...]]) -> dict[str, str]:
    """Return the best candidate of each field that convinces; no path stands for two fields."""
    chosen: dict[str, str] = {}
    ranked = sorted(
        ((field, one) for field, found in suggested.items() for one in found),
        key=lambda pair: _order(pair[1]),
    )
    for field, one in ranked:
        if field not in chosen and one.path not in chosen.values() and one.score >= CONVINCING:
            chosen[field] = one.path
    return {field: chosen[field] for field in FIELDS if field in chosen}


def _order(one: Candidate) -> tuple[float, int, int, str]:
    return (-one.score, -one.present, len(one.path), one.path)


def _columns(records: Sequence[Leaves]) -> list[_Column]:
    found: dict[str, _Column] = {}
    for number, record in enumerate(records):
        for path, leaf in record.items():
            column = found.get(path)
            if column is None:
                column = found[path] = _Column(path, _name(path), {}, {})
            column.raw[number] = leaf
            text = _text(leaf)
            if text is not None:
                column.values[number] = text
    return list(found.values())


def _name(path: str) -> str:
    bare = path.removeprefix("header:")
    match = _LAST.search(bare)
    name = _PLAIN.sub("", (match[1] if match else bare).lower())
    return name.removeprefix("x") if path.startswith("header:") else name


def _parent(path: str) -> str:
    return _name(path.rpartition(".")[0])


def _text(leaf: Leaf) -> str | None:
    return None if isinstance(leaf, dict) else fields.identifier(leaf)


def _named(field: str, name: str) -> float:
    """Return 2 for a name that is usual for a field, 1 for one that ends like it, else 0."""
    if name in NAMES[field]:
        return 2.0
    return 1.0 if any(len(usual) > 4 and name.endswith(usual) for usual in NAMES[field]) else 0.0


def _looks_like_id(text: str) -> bool:
    return len(text) >= 3 and any(letter.isdigit() for letter in text)


def _ids(columns: Sequence[_Column], others: Sequence[Leaves]) -> dict[str, set[int]]:
    """Return values that identify a record, with the records of this topic that carry them."""
    found: dict[str, set[int]] = {}
    for column in columns:
        if column.identifies:
            for number, text in column.values.items():
                found.setdefault(text, set()).add(number)
    for leaf in others:
        for path, value in leaf.items():
            known = _text(value)
            if known is not None and _named("event_id", _name(path)) == 2.0:
                found.setdefault(known, set())
    return found


def _judge(
    field: str,
    column: _Column,
    total: int,
    ids: dict[str, set[int]],
    shared: Counter[tuple[str, str]],
) -> Candidate | None:
    if field == "payload":
        return _payload(column, total)
    present = len(column.values)
    named = column.named(field)
    if not present:
        return None
    if field == "event_id":
        score, why = _as_id(column, named, present)
    elif field == "correlation_id":
        score, why = _as_correlation(column, named, ids, shared)
    elif field == "causation_id":
        score, why = _as_cause(column, named, ids)
    else:
        score, why = _by_name(field, column, named)
    if score <= 0:
        return None
    # What half of the records lack carries half as much; a first event has no cause, though.
    share = 1.0 if field == "causation_id" else present / total
    return Candidate(column.path, round(score * share, 2), present, why)


def _as_id(column: _Column, named: float, present: int) -> tuple[float, str]:
    values = column.values.values()
    copies = present - column.distinct
    if present < 2 or (copies and not column.identifies) or not all(map(_looks_like_id, values)):
        return (0.0, "")
    if not named and (_times(column) == present or column.named("causation_id")):
        return (0.0, "")
    if copies:
        return (1.0 + named, f"different in {column.distinct:,} of {present:,} records")
    return (1.0 + named, f"different in each of {present:,} records")


def _as_correlation(
    column: _Column, named: float, ids: dict[str, set[int]], shared: Counter[tuple[str, str]]
) -> tuple[float, str]:
    texts = list(column.values.values())
    together = sum(shared[column.name, text] > 1 for text in texts)
    constant = column.distinct == 1 and len(texts) > 3
    if constant or not any(map(_looks_like_id, texts)) or _times(column) == len(texts):
        return (0.0, "")
    if not together:
        return (named if named == 2.0 else 0.0, "by its name alone")
    if not named and column.distinct * MOST_IN_A_FLOW < len(texts):
        # A region, a tenant: it parts the records, but not into flows.
        return (0.0, "")
    causes = _causes(column, ids)
    # The flows at the edges of what we look at are cut: not all records find their others.
    score = max(named, 0.5) + 2.0 * (together - causes) / len(texts)
    return (score if named or score > 1.5 else 0.0, f"{together:,} records share it with others")


def _as_cause(column: _Column, named: float, ids: dict[str, set[int]]) -> tuple[float, str]:
    if column.identifies and not named:
        # Copies of a record, here or in another topic, do not cause it.
        return (0.0, "")
    causes = _causes(column, ids)
    present = len(column.values)
    if not causes:
        return (named if named == 2.0 else 0.0, "by its name alone")
    why = f"another record's id in {causes:,} of {present:,}"
    return (named + 2.0 * causes / present, why)


def _causes(column: _Column, ids: dict[str, set[int]]) -> int:
    """Return in how many records the value is the id of another one."""
    return sum(text in ids and (number not in ids[text]) for number, text in column.values.items())


def _times(column: _Column) -> int:
    return sum(fields.time_us(raw) is not None for raw in column.raw.values())


def _by_name(field: str, column: _Column, named: float) -> tuple[float, str]:
    present = len(column.values)
    if field == "occurred":
        times = _times(column)
        score = named + 1.0 if named and times == present else 0.0
        return (score, f"a time in {times:,} records")
    if not named:
        return (0.0, "")
    if field == "event_type":
        fits = sum(_TYPE.fullmatch(text) is not None for text in column.values.values())
        kinds = column.distinct
        score = named + fits / present - (1.0 if kinds == present > 5 else 0.0)
        # A topic of one type has it too, but what varies says more.
        score -= 0.5 if kinds == 1 < present else 0.0
        return (score if fits else 0.0, f"{kinds:,} different name{'' if kinds == 1 else 's'}")
    kinds = column.distinct
    why = "always the same" if kinds == 1 else f"{kinds:,} different values"
    return (named + (0.5 if kinds <= max(present // 2, 1) else 0.0), why)


def _payload(column: _Column, total: int) -> Candidate | None:
    objects = sum(isinstance(raw, dict) for raw in column.raw.values())
    if not objects or column.name not in NAMES["payload"]:
        return None
    return Candidate(column.path, round(2.0 * objects / total, 2), objects, "holds an object")
