"""The search field's page at /search/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from tracing.domain.text import clean
from tracing.projections import reading
from tracing.web.address import flow_url
from tracing.web.context import now_ms
from tracing.web.flows import present

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Go to the one thing that has this id or key, or list what there is."""
    wanted = clean(request.GET.get("q", "").strip())
    hits = reading.search(wanted)
    if len(hits) == 1:
        return redirect(flow_url(hits[0].correlation_id, hits[0].event_id))
    now = now_ms()
    found = [
        (hit, flow_url(hit.correlation_id, hit.event_id)) for hit in hits if hit.kind == "event"
    ]
    context = {
        "wanted": wanted,
        "hits": hits,
        "events": found,
        "rows": present.draw([hit.line for hit in hits if hit.line], now_ms=now),
        "now_ms": now,
    }
    return render(request, "tracing/search.html", context)
