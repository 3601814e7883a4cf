"""The live tail at /tail/, and the pages of older events behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from tracing.projections import reading
from tracing.web.flows.first_event import first_event
from tracing.web.tail import filters, present

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

PAGE = 100


@require_safe
def tail(request: HttpRequest) -> HttpResponse:
    """Show the newest events, or those before a position."""
    asked = filters.parse(request.GET.dict())
    raw = request.GET.get("before", "")
    before = int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 18 else None
    head = reading.head()
    page = reading.list_events(
        before=before,
        limit=PAGE,
        type=asked.filter.type,
        service=asked.filter.service,
        topic=asked.filter.topic,
        text=asked.filter.text,
    )
    context = {
        "asked": asked,
        "rows": present.draw(page.events),
        "page": page,
        "older": asked.url(before=str(page.next_before or "")),
        "newest": asked.url(),
        "bounded": page.next_before is not None and len(page.events) < PAGE,
        "live": before is None,
        "position": head.position,
        "menus": present.menus(asked),
        "nothing_stored": not asked.given and before is None,
        "first_event": first_event,
    }
    return render(request, "tracing/tail.html", context)
