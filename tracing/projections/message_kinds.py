"""Which messages of a flow are commands and which are replies: by definitions, names, headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.saga.kinds import HEADER, Kind, kind_of
from tracing.projections import record_log, record_rows
from tracing.projections.saga_decisions import applied_sagas

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.projections.event_reading import StoredEvent

# So many events' headers are looked at, the first ones.
MAX_HEADERS = 100


def kinds_of(items: Iterable[StoredEvent]) -> dict[str, Kind]:
    """Return commands and replies by event id; every other message is an event.

    One look-up by key, for the headers of those whose name says nothing.
    """
    sagas = applied_sagas()
    found: dict[str, Kind] = {}
    silent: dict[str, int] = {}
    for item in items:
        kind = kind_of(item.event.type, commands=sagas.commands, replies=sagas.replies)
        if kind is not Kind.EVENT:
            found[item.event.event_id] = kind
        elif len(silent) < MAX_HEADERS:
            silent[item.event.event_id] = item.record
    rows = record_log.by_id(silent.values(), values=False) if silent else {}
    for event_id, record in silent.items():
        said = _header(rows[record].headers) if record in rows else None
        kind = kind_of("", header=said)
        if kind is not Kind.EVENT:
            found[event_id] = kind
    return found


def _header(blob: bytes) -> str | None:
    for name, value in reversed(record_rows.headers_of(blob)):
        if name.lower() == HEADER and value is not None:
            return value.decode("utf-8", "replace")
    return None
