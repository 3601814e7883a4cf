"""Dead letters as JSON: the groups, and the messages of one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tracing.domain.failure import group_of
from tracing.projections import dead_letter_reading as reading
from tracing.projections import dead_message_reading as messages
from tracing.web.api import parameters
from tracing.web.api.views import PAGING, answer, endpoint, failure
from tracing.web.present import iso

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tracing.projections.dead_letter_reading import GroupLine
    from tracing.projections.dead_message_reading import DeadLine

FILTERS = reading.GroupFilter.__struct_fields__


@endpoint
def groups(request: HttpRequest) -> HttpResponse:
    """List groups by their last dead letter, the newest first."""
    given = request.GET.dict()
    parameters.check_known(given, (*FILTERS, *PAGING))
    parameters.choice(given, "state", reading.STATES)
    page = reading.list_groups(
        reading.parse_filter(given),
        cursor=parameters.text(given, "cursor") or None,
        limit=parameters.limit(given),
        now_ms=time.time_ns() // 1_000_000,
    )
    shown = [_group(line) for line in page.lines]
    return answer({"groups": shown, "next": page.next, "tested": page.tested})


@endpoint
def group(request: HttpRequest, *, key: str) -> HttpResponse:
    """List a group's messages, the newest first."""
    given = request.GET.dict()
    parameters.check_known(given, PAGING)
    limit = parameters.limit(given)
    group_id = group_of(key)
    line = None
    if group_id is not None:
        line = reading.read_group(group_id, now_ms=time.time_ns() // 1_000_000)
    if line is None:
        return failure("No group of dead letters has this id (yet).", status=404)
    before = _place(parameters.text(given, "cursor"))
    found = messages.list_messages(line.id, before=before, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return answer(
        {
            "group": _group(line),
            "messages": [_message(one) for one in found[:limit]],
            "next": f"{last.timestamp_ms}-{last.record}" if last else None,
        }
    )


def _place(cursor: str) -> tuple[int, int] | None:
    if not cursor:
        return None
    at_ms, _, record = cursor.partition("-")
    if not (at_ms.isdigit() and record.isdigit() and len(cursor) < 40):
        raise parameters.BadParameterError("cursor", "a `next` of ours, or nothing.")
    return int(at_ms), int(record)


def _group(line: GroupLine) -> dict[str, Any]:
    return {
        "id": line.key,
        "state": line.state,
        "count": line.count,
        "open": line.open,
        "retried": line.retried,
        "recovered": line.recovered,
        "failed_again": line.failed_again,
        "discarded": line.discarded,
        "exception": line.exception or None,
        "message": line.message or None,
        "consumer": line.consumer or None,
        "source_topic": line.source_topic,
        "event_type": line.event_type,
        "first_at": iso(line.first_ms),
        "last_at": iso(line.last_ms),
        "owner": line.owner or None,
        "note": line.note or None,
    }


def _message(line: DeadLine) -> dict[str, Any]:
    return {
        "record": line.record,
        "coordinates": line.coordinates,
        "event_id": line.event_id,
        "message": line.message or None,
        "attempts": line.attempts,
        "source": line.source or None,
        "at": iso(line.timestamp_ms),
        "retry_id": line.retry_id,
    }
