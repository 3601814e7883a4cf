"""The flow list at /flows/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from tracing.projections import reading
from tracing.web.context import now_ms
from tracing.web.flows import filters, present
from tracing.web.query import BadTimeError

if TYPE_CHECKING:
    from django.http import HttpResponse

    from tracing.web.context import HtmxRequest


@require_safe
def flows(request: HtmxRequest) -> HttpResponse:
    """Show one page of flows; to htmx only its list."""
    now = now_ms()
    cursor = request.GET.get("cursor") or None
    try:
        asked = filters.parse(request.GET.dict())
        context = present.page(asked, cursor=cursor, now_ms=now)
    except (BadTimeError, reading.BadCursorError) as error:
        return render(request, "tracing/bad_request.html", {"reason": str(error)}, status=400)
    if request.htmx:
        response = render(request, "tracing/partials/_flow_list.html", context)
    else:
        response = render(request, "tracing/flows.html", {**context, "menus": present.menus(asked)})
    patch_vary_headers(response, ["HX-Request"])
    return response
