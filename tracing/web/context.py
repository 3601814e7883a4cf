"""What the frame of every page needs: the rail, the state of the ingest, the demo's line."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from tracing.models import Ingestor
from tracing.projections import room
from tracing.projections.dead_letter_reading import totals
from tracing.web import access, present
from tracing.web.retries.rows import running

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

# An ingestor writes its row once a second; one that was silent for this long is gone.
SEEN_WITHIN_S = 10
# After this the foot says when it was seen: it may be at a large batch, or held up.
SILENT_AFTER_S = 3
# Less than this is the ordinary beat of a poll, not worth a banner.
BEHIND_AFTER_MS = 5_000
# Pages that stand as tabs beside an entry of the rail.
_BESIDE = {"topics": ("/groups/", "/mapping/"), "retries": ("/audit/", "/alerts/")}


# The banner has said this already, and the client's class names tell nobody anything.
_SAID = re.compile(r"The Kafka broker does not (answer|let us in)\.\s*|\b\w+Error: |\s+from \[.*")
START = "Start it with: .venv/bin/python manage.py ingest"
ROOM = (
    "Kafka keeps what comes. Make room: a larger disk, or manage.py prune. Trying again by itself."
)
START_DEMO = "End the demo with Ctrl-C and run make demo again."


class HtmxRequest(HttpRequest):
    """A request as views get it: `htmx` is true when a fragment is asked for."""

    htmx: HtmxDetails


class IngestState(msgspec.Struct, frozen=True, kw_only=True):
    """What all ingestors together say. `word` and `banner` are empty while all is well.

    `tone` is 'ok', 'behind', 'away' (the broker, or room in the database) or 'stopped'. `seen` is
    the time of the last sign of life, empty while that is fresh.
    """

    tone: str
    word: str = ""
    banner: str = ""
    detail: str = ""
    seen: str = ""
    cluster: str = ""
    topics: int = 0
    lag: int = 0
    events_per_s: float = 0


class Place(msgspec.Struct, frozen=True):
    """One entry of the rail."""

    name: str
    label: str
    icon: str
    url: str
    current: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give templates what `base.html` shows; queries wait until something is used."""
    return {
        "now_ms": now_ms(),
        "ingest": SimpleLazyObject(ingest_state),
        "running": SimpleLazyObject(running),
        "open_dead_letters": SimpleLazyObject(totals),
        "places": SimpleLazyObject(lambda: places(request)),
        "demo": access.is_demo(request),
        "can_retry": SimpleLazyObject(lambda: can_retry(request)),
        "signs": present.STATES.values(),
        "signed_in": SimpleLazyObject(lambda: access.is_signed_in(request)),
    }


def can_retry(request: HttpRequest) -> bool:
    """Return whether this person may send records again. One query."""
    return access.is_signed_in(request) and access.has_role(request.user, access.Role.OPERATOR)


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def places(request: HttpRequest) -> list[Place]:
    """Return the rail's entries: only pages that exist here and that this person may open."""
    known = [
        ("flows", "Flows", "flows"),
        ("tail", "Live tail", "tail"),
        ("sagas", "Sagas", "sagas"),
        ("dead-letters", "Dead letters", "dead"),
        ("topics", "Topics", "topics"),
        ("schemas", "Schemas", "schemas"),
        ("retries", "Retries", "retries"),
        ("shop", "Shop", "shop"),
    ]
    if access.has_role(request.user, access.Role.ADMIN):
        known.append(("admin:index", "Admin", "admin"))
    found = []
    for name, label, icon in known:
        try:
            url = reverse(name)
        except NoReverseMatch:
            continue
        current = request.path.startswith((url, *_BESIDE.get(name, ())))
        found.append(Place(name, label, icon, url, current))
    return found


def ingest_state(at: datetime | None = None) -> IngestState:
    """Return the state of the ingest as of now.

    Cost: one query of a table with few rows, and one look at the disk.
    """
    now = at or datetime.now(UTC)
    since = now - timedelta(seconds=SEEN_WITHIN_S)
    rows = list(Ingestor.objects.order_by("-seen_at")[:50])
    alive = [row for row in rows if row.seen_at >= since]
    if room.is_full(since):
        return _full(rows[0] if rows else None)
    return summary(alive, last=rows[0] if rows else None, at=now)


def summary(
    alive: list[Ingestor], *, last: Ingestor | None, at: datetime | None = None
) -> IngestState:
    """Sum up the ingestors seen lately; `last` is the newest row of all, however old."""
    alive = [row for row in alive if row.state != "stopped"]
    if not alive:
        return _stopped(last)
    cluster = next((row.cluster for row in alive if row.cluster), "")
    topics = max(row.topics for row in alive)
    full = next((row for row in alive if row.state == "full"), None)
    if full is not None:
        return _full(full)
    waiting = [row for row in alive if row.state in {"waiting", "refused"}]
    if len(waiting) == len(alive):
        refused = any(row.state == "refused" for row in waiting)
        return IngestState(
            tone="away",
            word="Broker refuses" if refused else "Broker away",
            banner="The broker does not let us in" if refused else "The broker does not answer",
            detail=f"{_reason(waiting[0].detail)} Trying again by itself.",
            cluster=cluster,
            topics=topics,
        )
    lag = sum(row.lag for row in alive)
    behind_ms = max(row.behind_ms for row in alive)
    behind = present.duration(behind_ms * 1_000) if behind_ms >= BEHIND_AFTER_MS else ""
    newest = max(row.seen_at for row in alive)
    silent = at is not None and (at - newest).total_seconds() > SILENT_AFTER_S
    return IngestState(
        tone="behind" if behind else "ok",
        word=f"Behind {behind}" if behind else "",
        banner=f"Ingest is {behind} behind" if behind else "",
        detail=f"{lag:,} records are waiting in Kafka; they will show up here." if behind else "",
        seen=f"{newest:%H:%M:%S} UTC" if silent else "",
        cluster=cluster,
        topics=topics,
        lag=lag,
        events_per_s=sum(row.events_per_s for row in alive),
    )


def _full(row: Ingestor | None) -> IngestState:
    said = row.detail if row is not None and row.state == "full" else "Its disk has no room left."
    return IngestState(
        tone="away",
        word="Database full",
        banner="The database is full",
        detail=f"{_reason(said)} {ROOM}",
        cluster=row.cluster if row else "",
        topics=row.topics if row else 0,
    )


def _stopped(last: Ingestor | None) -> IngestState:
    seen = f"Last seen {last.seen_at:%Y-%m-%d %H:%M:%S} UTC. " if last else ""
    how = START_DEMO if settings.EVENTVIZ_DEMO and settings.EVENTVIZ_SHOP else START
    return IngestState(
        tone="stopped",
        word="Ingest stopped",
        banner="Ingest is not running",
        detail=f"{seen}What is shown was stored before. {how}",
        cluster=last.cluster if last else "",
        topics=last.topics if last else 0,
    )


def _reason(detail: str) -> str:
    """Return why a broker is away, as one sentence that repeats nothing."""
    said = _SAID.sub("", detail).strip() or ", ".join(settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS)
    return said if said.endswith(".") else f"{said}."
