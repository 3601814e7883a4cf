"""What a record's headers say of a failure.

Values are strangers': bounded, never evaluated; a serialised exception object is shown as
hexadecimal.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from tracing.codec import fields
from tracing.codec.failure_dialects import DIALECTS, Dialect
from tracing.domain.failure import Attempt, Failure, Tier, tier_of
from tracing.domain.text import MAX_LABEL, clean, readable
from tracing.domain.topology import NO_ROLES, ORDINARY, TopicKind, TopicRole, TopicRoles, kind_of

if TYPE_CHECKING:
    from tracing.domain.record import Record

RETRY_ID = "eventviz-retry-id"
UNSAID = "none"
MAX_STACK = 64 * 1024
_MAX_MESSAGE = 4_000
# An offset above this has no record id here, and a time in ms stays below it until 2527.
_MAX_NUMBER = 2**44


_FIELDS = tuple(
    name for name in Dialect.__struct_fields__ if name not in {"name", "binary", "counts_next"}
)
_PROOFS = frozenset(dialect.proof for dialect in DIALECTS if dialect.proof)
# Where the record failed first: what a later hop appends does not count.
_FIRST = frozenset({"topic", "partition", "offset"})
_NAMES = {
    name: number
    for number, dialect in reversed(tuple(enumerate(DIALECTS)))
    for field in _FIELDS
    for name in (
        (getattr(dialect, field),)
        if isinstance(getattr(dialect, field), str)
        else getattr(dialect, field)
    )
    if name
}


def attempt_of(record: Record, roles: TopicRoles = NO_ROLES) -> Attempt | None:
    """Return what makes a record an attempt at an event, None for an ordinary record.

    Costs a look into a table for the topic and one for each header's name.
    """
    kind = kind_of(record.topic, roles)
    if kind is ORDINARY and not record.headers:
        return None
    known = [_known(name) for name, _ in record.headers]
    if kind.role is TopicRole.ORDINARY and not any(known):
        return None
    retry_id = _text(record.header(RETRY_ID), MAX_LABEL) if "retry" in known else None
    failure = _read(record)
    role = kind.role
    if role is TopicRole.ORDINARY and "proof" in known and failure is not None:
        # Sent back to where it came from with its failure headers, it is no dead letter.
        named = failure.source_topic is not None and failure.source_topic != record.topic
        role = TopicRole.DEAD_LETTER if named else role
    tier = tier_of(role, retried=retry_id is not None)
    if tier is Tier.PLAIN:
        return None
    if role is TopicRole.ORDINARY:
        return Attempt(tier=tier, retry_id=retry_id)
    failure = failure or Failure(dialect=UNSAID)
    return Attempt(tier=tier, failure=failure, retry_id=retry_id, attempt=_number_of(kind, failure))


def _number_of(kind: TopicKind, failure: Failure) -> int | None:
    return failure.attempts if failure.attempts is not None else kind.attempt


@functools.lru_cache(maxsize=10_000)
def _known(name: str) -> str:
    """Return `retry`, `proof` or nothing for a header's name."""
    lower = name.lower()
    if lower == RETRY_ID:
        return "retry"
    return "proof" if lower in _PROOFS else ""


def _read(record: Record) -> Failure | None:
    """Return the failure by the first dialect of which a header is there."""
    first: dict[str, bytes | None] = {}
    last: dict[str, bytes | None] = {}
    for name, value in record.headers:
        lower = name.lower()
        if lower in _NAMES:
            first.setdefault(lower, value)
            last[lower] = value
    if not last:
        return None
    dialect = DIALECTS[min(_NAMES[name] for name in last)]

    def raw(field: str) -> bytes | None:
        found = first if field in _FIRST else last
        for name in getattr(dialect, field):
            value = found.get(name)
            if value:
                return value
        return None

    def number(field: str) -> int | None:
        return _number(raw(field), binary=dialect.binary)

    attempts = number("attempts")
    if dialect.counts_next and attempts:
        attempts -= 1
    stack = _text(raw("stack"), MAX_STACK)
    exception, message = _innermost(
        _text(raw("exception"), MAX_LABEL), _text(raw("message"), _MAX_MESSAGE), stack
    )
    return Failure(
        dialect=dialect.name,
        consumer=_text(raw("consumer"), MAX_LABEL),
        exception=exception,
        message=message,
        stack=stack,
        attempts=attempts,
        max_attempts=number("max_attempts"),
        due_ms=number("due"),
        first_at_us=_time(raw("first_at")),
        last_at_us=_time(raw("last_at")),
        source_topic=_text(raw("topic"), MAX_LABEL),
        source_partition=number("partition"),
        source_offset=number("offset"),
    )


def _text(raw: bytes | None, limit: int) -> str | None:
    return readable(raw, limit) if raw else None


def _number(raw: bytes | None, *, binary: bool) -> int | None:
    if not raw or len(raw) > 20:
        return None
    if binary and len(raw) <= 8:
        value = int.from_bytes(raw, "big", signed=True)
    elif raw.isdigit():
        value = int(raw)
    else:
        return None
    return value if 0 <= value < _MAX_NUMBER else None


def _time(raw: bytes | None) -> int | None:
    text = _text(raw, MAX_LABEL)
    if text is not None and text.isdigit():
        return fields.time_us(int(text))
    return fields.time_us(text)


# A Java stack names the causes one after another; what is suppressed is indented.
_CAUSE = re.compile(r"^Caused by: ([\w.$]{1,200})(?:: ([^\r\n]{0,4000}))?", re.MULTILINE)
_LISTENER = re.compile(r"^Listener failed(?:; (?:nested exception is [\w.$]{1,200}: ?)?)?")


def _innermost(
    exception: str | None, message: str | None, stack: str | None
) -> tuple[str | None, str | None]:
    """Return the exception and message of the innermost cause that is named."""
    causes = list(_CAUSE.finditer(stack or ""))
    if causes:
        last = causes[-1]
        return last[1], clean(last[2], _MAX_MESSAGE) if last[2] else None
    return exception, (_LISTENER.sub("", message) or None) if message else None
