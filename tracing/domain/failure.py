"""Why a record stands among the dead letters or waits for another try, and what it is grouped by.

Groups go by the innermost cause that is named, never by a framework's wrapper, and by the message
without what differs from record to record.
"""

from __future__ import annotations

import enum
import re

import msgspec

from tracing.domain.text import MAX_LABEL, clean, hash64
from tracing.domain.topology import TopicRole

MAX_MESSAGE = 300
# Enough of a message to tell it from others; strangers write megabytes.
_READ = 4_000


class Failure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a failed record's headers say; None where they say nothing.

    `exception` and `message` are those of the innermost cause that is named; `stack` is the whole
    text. `attempts` counts those made, `max_attempts` those allowed. Times are in microseconds
    since 1970, `due_ms` (when it is tried again) in milliseconds. The source is where the record
    stood when it failed first.
    """

    dialect: str
    consumer: str | None = None
    exception: str | None = None
    message: str | None = None
    stack: str | None = None
    attempts: int | None = None
    max_attempts: int | None = None
    due_ms: int | None = None
    first_at_us: int | None = None
    last_at_us: int | None = None
    source_topic: str | None = None
    source_partition: int | None = None
    source_offset: int | None = None

    @property
    def source(self) -> str | None:
        """Return the coordinates of the record that failed, None unless all three are named."""
        if self.source_topic is None or self.source_partition is None or self.source_offset is None:
            return None
        return f"{self.source_topic}[{self.source_partition}]@{self.source_offset}"

    @property
    def summary(self) -> str | None:
        """Return exception and message in one line, None without either."""
        said = [part for part in (short_name(self.exception or ""), self.message) if part]
        return clean(": ".join(said), MAX_LABEL) if said else None


class Tier(enum.IntEnum):
    """How good a record's claim is to be *the* event among its copies; what it is one of."""

    PLAIN = 0
    # Sent again by eventviz, to an ordinary topic.
    RETRIED = 1
    WAITING = 2
    DEAD = 3


class Attempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What makes a record one more attempt at an event, and no duplicate of it."""

    tier: Tier
    failure: Failure | None = None
    retry_id: str | None = None
    attempt: int | None = None


def tier_of(role: TopicRole, *, retried: bool) -> Tier:
    """Return a record's tier by its topic's role and whether eventviz sent it."""
    if role is TopicRole.DEAD_LETTER:
        return Tier.DEAD
    if role is TopicRole.RETRY:
        return Tier.WAITING
    return Tier.RETRIED if retried else Tier.PLAIN


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """What the dead letters of one group share.

    `source_topic` is the dead letter topic itself where nothing names the source.
    """

    source_topic: str
    consumer: str
    exception: str
    message: str
    event_type: str

    @property
    def text(self) -> str:
        """Return one text that differs whenever a part does; the parts hold no line break."""
        parts = (self.source_topic, self.consumer, self.exception, self.message, self.event_type)
        return "\n".join(parts)

    @property
    def group_id(self) -> int:
        """Return the index key of the group; the full text decides."""
        return hash64(self.text)


def fingerprint(failure: Failure, *, topic: str, of: str | None, event_type: str) -> Fingerprint:
    """Return the fingerprint of a dead letter that stands in `topic`, which belongs to `of`."""
    return Fingerprint(
        source_topic=_line(failure.source_topic or of or topic),
        consumer=_line(failure.consumer or ""),
        exception=_line(failure.exception or ""),
        message=normalised(failure.message or ""),
        event_type=_line(event_type),
    )


def _line(text: str) -> str:
    return clean(" ".join(text.split()), MAX_LABEL)


def short_name(exception: str) -> str:
    """Return an exception's name without its package."""
    return re.split(r"[.$]", exception.rstrip("."))[-1]


# What was taken out, between angle quotation marks: `<n>` would be a tag.
_A_TIME, _AN_ID, _A_NUMBER = (f"\u2039{what}\u203a" for what in ("time", "id", "n"))
# What stands for what, in words.
LEFT_OUT = {_A_TIME: "a time", _AN_ID: "an id", _A_NUMBER: "a number"}
_TIME = re.compile(
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\b"
)
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
# A word with digits and letters (ORD-1001, pay_8f3a, 0x7ffe) is an identifier.
_WORD = re.compile(r"[\w@#-]{2,200}")
_NAMED = re.compile(r"[A-Za-z]+\d{1,3}")
_NUMBER = re.compile(r"(?<!\w)[-+]?\d[\d,.]*\d|(?<!\w)[-+]?\d|(?<!\w)\d+")


def normalised(message: str) -> str:
    """Return a message without ids, numbers and times, in one bounded line."""
    text = " ".join(message[:_READ].split())
    text = _TIME.sub(_A_TIME, text)
    text = _UUID.sub(_AN_ID, text)
    text = _WORD.sub(_word, text)
    text = _NUMBER.sub(_A_NUMBER, text)
    return clean(text, MAX_MESSAGE)


def _word(match: re.Match[str]) -> str:
    word = match[0]
    digits = sum(letter.isdigit() for letter in word)
    if not digits or digits == len(word) or not any(letter.isalpha() for letter in word):
        return word
    # A few digits behind a name (`utf8`, `sha256`, `v2`) are part of the name.
    return word if _NAMED.fullmatch(word) else _AN_ID


def group_key(group_id: int) -> str:
    """Return a group's id as in addresses and JSON: 16 hexadecimal digits."""
    return f"{group_id & (2**64 - 1):016x}"


def group_of(key: str) -> int | None:
    """Return the group's id of such a key, None for another text."""
    if not re.fullmatch(r"[0-9a-f]{16}", key):
        return None
    return int.from_bytes(bytes.fromhex(key), "big", signed=True)
