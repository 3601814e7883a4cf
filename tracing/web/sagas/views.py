"""The pages of sagas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tracing.domain.text import clean
from tracing.projections.saga_listing import parse_filter
from tracing.projections.saga_reading import read_saga
from tracing.web.query import address
from tracing.web.sagas import listing, present

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def sagas(request: HttpRequest) -> HttpResponse:
    """Show all sagas, or those of a filter."""
    wanted = parse_filter(request.GET.dict())
    cursor = request.GET.get("cursor", "")
    context = listing.page(wanted, cursor)
    given = {name: text for name, text in msgspec.structs.asdict(wanted).items() if text}
    context |= {
        "wanted": wanted,
        "given": given,
        "menus": listing.menus(wanted),
        "active": listing.active(wanted),
        "overdue_url": listing.url_with(wanted, overdue="" if wanted.overdue else "1"),
        "stuck_url": listing.url_with(wanted, stuck="" if wanted.stuck else "1"),
        "socket": "" if cursor else address("/live/sagas", given),
    }
    return render(request, "tracing/sagas.html", context)


@require_safe
def saga(request: HttpRequest, saga_id: str) -> HttpResponse:
    """Show one saga."""
    detail = read_saga(clean(saga_id))
    if detail is None:
        raise Http404
    step = request.GET.get("step", "")
    opened = int(step) if step.isascii() and step.isdigit() and len(step) < 5 else None
    context = present.context(detail, opened=opened)
    given = {
        "id": detail.line.id,
        "flow": detail.line.correlation_id,
        "step": "" if opened is None else str(opened),
    }
    context["socket_url"] = address("/live/saga", given)
    return render(request, "tracing/saga.html", context)
