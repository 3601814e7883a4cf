"""What becomes of a record that a service cannot handle: retry topics, then the dead letters.

The header names are documented in docs/dead-letters.md.
"""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.record import Header, Record

# Waits before each further try; one retry topic each.
BACKOFF_S: Final = (1.0, 2.0, 4.0)
MAX_RETRIES: Final = len(BACKOFF_S)
_PREFIX: Final = "eventviz-failure-"
# A record that grows with each try ends in one that Kafka refuses.
_MAX_STACK: Final = 8_000
_MAX_MESSAGE: Final = 500


class Failed(msgspec.Struct, frozen=True):
    """Where a record goes that failed, and with which headers."""

    topic: str
    headers: tuple[Header, ...]
    dead: bool


def retry_topics(topics: Iterable[str]) -> list[str]:
    """Return the retry topics of these topics."""
    return [f"{topic}.retry.{number + 1}" for topic in topics for number in range(MAX_RETRIES)]


def dead_letter_topics(topics: Iterable[str]) -> list[str]:
    """Return the dead letter topics of these topics."""
    return [f"{topic}.dlq" for topic in topics]


def waits_for(record: Record) -> str | None:
    """Return the service that a copy on a retry topic is for, None for a first delivery."""
    return _text(record, "consumer") if ".retry." in record.topic else None


def source_topic(record: Record) -> str:
    """Return the topic on which the record was first."""
    return _text(record, "topic") or record.topic if ".retry." in record.topic else record.topic


def due_ms(record: Record) -> int:
    """Return when a copy is to be tried again, in ms since 1970; 0 for a first delivery."""
    text = _text(record, "due") if ".retry." in record.topic else None
    return int(text) if text and text.isdigit() and len(text) < 15 else 0


def failed(
    record: Record, error: Exception, *, service: str, now_ms: int, backoff_s: tuple[float, ...]
) -> Failed:
    """Return where the record goes: the next retry topic, after the last one the dead letters."""
    again = ".retry." in record.topic
    text = (_text(record, "attempts") or "0") if again else "0"
    attempts = (int(text) if text.isdigit() and len(text) < 4 else 0) + 1
    dead = attempts > MAX_RETRIES
    source = source_topic(record)
    now = datetime.fromtimestamp(now_ms / 1_000, UTC).isoformat(timespec="milliseconds")
    stack = "".join(traceback.format_exception(error))
    said = {
        "topic": source,
        "partition": (_text(record, "partition") if again else None) or str(record.partition),
        "offset": (_text(record, "offset") if again else None) or str(record.offset),
        "consumer": service,
        "exception": type(error).__name__,
        "message": str(error)[:_MAX_MESSAGE],
        "stack": stack[-_MAX_STACK:],
        "attempts": str(attempts),
        "max-attempts": str(MAX_RETRIES + 1),
        "first-at": (_text(record, "first-at") if again else None) or now,
        "last-at": now,
    }
    if not dead:
        said["due"] = str(now_ms + int(backoff_s[attempts - 1] * 1_000))
    kept = [header for header in record.headers if not header[0].startswith(_PREFIX)]
    added = [(f"{_PREFIX}{name}", text.encode()) for name, text in said.items()]
    topic = f"{source}.dlq" if dead else f"{source}.retry.{attempts}"
    return Failed(topic, (*kept, *added), dead)


def _text(record: Record, name: str) -> str | None:
    value = record.header(f"{_PREFIX}{name}")
    return value.decode("utf-8", "replace") if value else None
