"""The JSON API over HTTP: short functions, checked parameters, errors one can act on."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tracing.domain.marks import BY_SLUG
from tracing.projections import reading
from tracing.web.api import parameters, represent
from tracing.web.api.whole import whole_events

if TYPE_CHECKING:
    from collections.abc import Callable

FLOW_FILTERS = ("state", "type", "service", "mark", "since", "until")
EVENT_FILTERS = ("type", "service", "topic", "text")
PAGING = ("limit", "cursor")


def answer(data: Any, *, status: int = 200) -> HttpResponse:
    """Return JSON."""
    return HttpResponse(
        represent.encode(data) + b"\n", content_type="application/json", status=status
    )


def failure(message: str, *, status: int) -> HttpResponse:
    """Return an error as JSON."""
    return answer({"error": message}, status=status)


def endpoint(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view answer GET only, and turn what it raises into JSON errors."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, **captured: str) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            refused = failure("Only GET: this address reads.", status=405)
            refused["Allow"] = "GET, HEAD"
            return refused
        try:
            return view(request, **captured)
        except parameters.BadParameterError as error:
            return failure(str(error), status=400)
        except reading.BadCursorError:
            message = "cursor: not one of ours; leave it out to begin at the newest."
            return failure(message, status=400)
        except DatabaseError as error:
            return failure(f"The database does not answer: {error}", status=503)

    # Nothing here writes; else the check of forms would answer before, and in HTML.
    return csrf_exempt(guarded)


@endpoint
def flows(request: HttpRequest) -> HttpResponse:
    """List flows, newest first.

    A filter without an index tests a bounded number (`tested`): a page may then hold fewer than
    `limit`, or none, and still have a `next`.
    """
    given = request.GET.dict()
    parameters.check_known(given, (*FLOW_FILTERS, *PAGING))
    wanted = reading.FlowFilter(
        state=parameters.choice(given, "state", reading.DISPLAY_STATES),
        type=parameters.text(given, "type"),
        service=parameters.text(given, "service"),
        mark=parameters.choice(given, "mark", BY_SLUG),
        since_ms=parameters.time_ms(given, "since"),
        until_ms=parameters.time_ms(given, "until"),
    )
    now_ms = time.time_ns() // 1_000_000
    page = reading.list_flows(
        wanted,
        cursor=parameters.text(given, "cursor") or None,
        limit=parameters.limit(given),
        now_ms=now_ms,
    )
    return answer(
        {
            "flows": [represent.flow(line, now_ms=now_ms) for line in page.lines],
            "next": page.next,
            "tested": page.tested,
            "position": page.position,
        }
    )


@endpoint
def flow(request: HttpRequest, *, correlation_id: str) -> HttpResponse:
    """Return one flow with its events and edges."""
    parameters.check_known(request.GET.dict(), ())
    detail = reading.read_flow(correlation_id)
    if detail is None:
        return failure("No flow has this correlation id (yet).", status=404)
    return answer(represent.flow_detail(detail, now_ms=time.time_ns() // 1_000_000))


@endpoint
def events(request: HttpRequest) -> HttpResponse:
    """List events, newest first; `next` is the cursor of the page behind."""
    given = request.GET.dict()
    parameters.check_known(given, (*EVENT_FILTERS, *PAGING, "before"))
    before = parameters.whole(given, "cursor")
    wanted = event_filter(given)
    page = reading.list_events(
        before=parameters.whole(given, "before") if before is None else before,
        limit=parameters.limit(given),
        type=wanted["type"],
        service=wanted["service"],
        topic=wanted["topic"],
        text=wanted["text"],
    )
    following = None if page.next_before is None else str(page.next_before)
    shown = whole_events(page.events)
    return answer({"events": shown, "next": following, "tested": page.tested})


@endpoint
def event(request: HttpRequest, *, event_id: str) -> HttpResponse:
    """Return one event with headers and payload; `?raw=1` its record's value, byte for byte."""
    given = request.GET.dict()
    parameters.check_known(given, ("raw",))
    found = reading.find_events(event_id)
    if not found:
        return failure("No event has this id (yet).", status=404)
    first = found[0]
    record = reading.stored_record(first.record, first.event.part)
    if parameters.choice(given, "raw", ("0", "1")) == "1":
        return _raw(record)
    others = [other.event.correlation_id for other in found[1:]]
    return answer({**represent.whole_event(first, record), "also_in": others})


@endpoint
def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:  # noqa: ARG001
    """Answer an address that does not exist, as JSON too."""
    there_are = (
        "/api/flows, /api/flows/<correlation id>, /api/events, /api/events/<event id>,"
        " /api/tail (a WebSocket), /api/wait, /api/retries, /api/dead-letters,"
        " /api/dead-letters/<id>, /api/sagas, /api/sagas/<id>, /api/schemas/wire,"
        " /api/schemas/check"
    )
    return failure(f"There is no such address; there are {there_are}.", status=404)


def event_filter(given: dict[str, str]) -> dict[str, str]:
    """Return the filters that events are listed and followed by."""
    return {name: parameters.text(given, name) for name in EVENT_FILTERS}


def _raw(record: reading.StoredRecord | None) -> HttpResponse:
    value = record.record.value if record else None
    if value is None:
        return failure("This event's record has no stored value.", status=404)
    # Never shown by a browser, whatever it says it is.
    return HttpResponse(
        value,
        content_type="application/octet-stream",
        headers={"Content-Disposition": 'attachment; filename="value.bin"'},
    )
