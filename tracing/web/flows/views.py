"""The flow list at /flows/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from tracing.projections import reading
from tracing.web.context import now_ms
from tracing.web.flows import filters, present
from tracing.web.flows.first_event import first_event
from tracing.web.query import BadTimeError

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

PAGE = 50


@require_safe
def flows(request: HttpRequest) -> HttpResponse:
    """Show one page of flows; to htmx only its list."""
    now = now_ms()
    cursor = request.GET.get("cursor") or None
    try:
        asked = filters.parse(request.GET.dict())
        page = reading.list_flows(asked.filter(now), cursor=cursor, limit=PAGE, now_ms=now)
    except (BadTimeError, reading.BadCursorError) as error:
        return render(request, "tracing/bad_request.html", {"reason": str(error)}, status=400)
    totals = present.totals(asked, now_ms=now)
    context = {
        "asked": asked,
        "rows": present.rows(page.lines, now_ms=now),
        "page": page,
        "older": asked.url(cursor=page.next or ""),
        "newest": asked.url(),
        "bounded": page.next is not None and len(page.lines) < PAGE,
        "live": cursor is None,
        "partial": request.htmx,
        "now_ms": now,
        "totals": totals,
        "first_event": first_event,
        "nothing_stored": not asked.given and cursor is None,
    }
    if request.htmx:
        response = render(request, "tracing/partials/_flow_list.html", context)
    else:
        response = render(request, "tracing/flows.html", {**context, "menus": present.menus(asked)})
    patch_vary_headers(response, ["HX-Request"])
    return response
