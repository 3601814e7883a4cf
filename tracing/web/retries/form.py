"""The plan's address and form: which records, where to, how fast, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.domain.text import clean
from tracing.retry.letters import all_dead
from tracing.retry.runs import MAX_RATE, MAX_REASON
from tracing.retry.selection import BadSelectionError, Selection
from tracing.web.query import BadTimeError, moment_ms

if TYPE_CHECKING:
    from django.http import QueryDict

KINDS = ("retry", "replay")
DEFAULT_RATE = 10.0
_TEXTS = ("filter", "flow", "key", "topic")


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What an address or a form says. `errors` names what is wrong, by field."""

    kind: str
    selection: Selection
    fields: list[tuple[str, str]]
    target: str
    rate: str
    rate_per_s: float
    reason: str
    errors: dict[str, str]


def parse(values: QueryDict, *, now_ms: int) -> Given:
    """Return what was asked for. Raises BadSelectionError when it selects nothing."""
    errors: dict[str, str] = {}
    kind = values.get("kind", "")
    selection, fields = selection_of(values, now_ms=now_ms)
    dead = selection.kind in ("group", "filter") or all_dead(selection.records)
    kind = kind if kind in KINDS else "retry" if dead else "replay"
    selection.check()
    rate = values.get("rate", "").strip()[:20] or f"{DEFAULT_RATE:g}"
    try:
        rate_per_s = float(rate)
    except ValueError:
        rate_per_s = 0.0
    if not 0 < rate_per_s <= MAX_RATE:
        errors["rate"] = f"Write a number above 0, at most {MAX_RATE:,.0f}."
    return Given(
        kind=kind,
        selection=selection,
        fields=[("kind", kind), *fields],
        target=clean(values.get("target", ""), 249),
        rate=rate,
        rate_per_s=rate_per_s,
        reason=clean(values.get("reason", "").strip(), MAX_REASON),
        errors=errors,
    )


def selection_of(values: QueryDict, *, now_ms: int) -> tuple[Selection, list[tuple[str, str]]]:
    """Return what an address selects, and the fields that say so. Raises BadSelectionError."""
    records = [text for text in values.getlist("record") if text]
    if records:
        return Selection(kind="records", records=_numbers(records)), [
            ("record", text) for text in records
        ]
    groups = [clean(text, 20) for text in values.getlist("group") if text]
    if groups:
        return Selection(kind="group", text=",".join(groups)), [("group", text) for text in groups]
    for name in _TEXTS:
        text = clean(values.get(name, ""))
        if not text:
            continue
        if name != "topic":
            return Selection(kind=name, text=text), [(name, text)]  # type: ignore[arg-type]
        fields = [(part, values.get(part, "").strip()) for part in ("from", "until")]
        times = [_moment(text, now_ms) for _, text in fields]
        found = Selection(kind="topic", text=text, since_ms=times[0], until_ms=times[1])
        return found, [("topic", text), *((part, said) for part, said in fields if said)]
    raise BadSelectionError


def _numbers(texts: list[str]) -> tuple[int, ...]:
    if not all(text.isascii() and text.isdigit() and len(text) <= 19 for text in texts):
        raise BadSelectionError("A record is a number.")
    numbers = tuple(dict.fromkeys(int(text) for text in texts))
    if any(number >= 2**63 for number in numbers):
        raise BadSelectionError("A record is a smaller number.")
    return numbers


def _moment(text: str, now_ms: int) -> int | None:
    try:
        return moment_ms(text, now_ms=now_ms)
    except BadTimeError as error:
        raise BadSelectionError(str(error)) from None
