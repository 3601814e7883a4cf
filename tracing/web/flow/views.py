"""The page of a flow at /flows/<correlation id>."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from tracing.domain.text import clean
from tracing.projections import reading
from tracing.web.address import flow_api_url, flow_url
from tracing.web.context import now_ms
from tracing.web.flow import present
from tracing.web.flow.cards import LOOKS
from tracing.web.flow.inspect import find, inspect

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django_htmx.middleware import HtmxDetails

    class HtmxRequest(HttpRequest):
        """A request behind the middleware of django-htmx."""

        htmx: HtmxDetails


@require_safe
def flow(request: HtmxRequest, correlation_id: str) -> HttpResponse:
    """Show a flow; to htmx only the inspector of the event that it asks for.

    An unknown id is a 404 whose page turns into the flow when its first event comes.
    """
    now = now_ms()
    # As ids are stored: bounded, without NUL.
    correlation_id = clean(correlation_id)
    asked = request.GET.get("event")
    asked = None if asked is None else clean(asked)
    detail = reading.read_flow(correlation_id)
    context: dict[str, Any] = {
        "correlation_id": correlation_id,
        "flow_url": flow_url(correlation_id),
        "api_url": flow_api_url(correlation_id),
        "base_url": f"{request.scheme}://{request.get_host()}",
        "asked": asked,
        "now_ms": now,
        "inspected": None,
        "detail": None,
        "cards": [],
        "outline": [],
        "default_id": "",
    }
    after = ""
    if detail is not None:
        item = present.default_event(detail) if asked is None else find(detail, asked)
        context["inspected"] = item and inspect(detail, item)
        context["event_url"] = item and flow_url(correlation_id, item.event.event_id)
        after = f"&after={detail.position}"
    if request.htmx:
        response = render(request, "tracing/partials/_event_inspector.html", context)
    else:
        if detail is not None:
            context |= present.fragment_context(detail, now_ms=now)
            context["related"] = present.related(detail, now_ms=now)
        context["looks"] = LOOKS.values()
        context["socket_url"] = f"/live/flow?id={quote(correlation_id, safe='')}{after}"
        status = 200 if detail is not None else 404
        response = render(request, "tracing/flow.html", context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response
