"""The inbox, a group, a message, what waits; decisions are an operator's POST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from tracing.projections.dead_letter_reading import parse_filter
from tracing.retry.decisions import BadDecisionError
from tracing.retry.decisions import decide as decide_on
from tracing.web import query
from tracing.web.dead_letters import present
from tracing.web.dead_letters.message import message as message_context
from tracing.web.dead_letters.words import PATH
from tracing.web.retries.views import operator

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Show the groups."""
    wanted = parse_filter(request.GET.dict())
    cursor = request.GET.get("cursor", "")
    context = present.inbox(wanted, cursor)
    given = {name: text for name, text in msgspec.structs.asdict(wanted).items() if text}
    context |= {
        "menus": present.menus(wanted, context["rows"]),
        "active": present.active(wanted),
        "given": given,
        "words": wanted.q,
        "path": PATH,
        "socket": "" if cursor else query.address("/live/dead-letters", given),
    }
    return render(request, "tracing/dead_letters.html", context)


@require_safe
def in_retry(request: HttpRequest) -> HttpResponse:
    """Show what waits in retry topics."""
    return render(request, "tracing/in_retry.html", present.waiting())


@require_safe
def group(request: HttpRequest, key: str) -> HttpResponse:
    """Show one group with its messages."""
    context = present.group(key, request.GET.get("before", ""))
    if context is None:
        return _gone(request)
    return render(request, "tracing/dead_letter_group.html", context)


@require_safe
def message(request: HttpRequest, key: str, record: int) -> HttpResponse:
    """Show one dead letter."""
    context = message_context(key, record) if record < 2**63 else None
    if context is None:
        return _gone(request)
    return render(request, "tracing/dead_letter.html", context)


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "tracing/dead_letter_gone.html", status=404)


@require_POST
def decide(request: HttpRequest, key: str) -> HttpResponse:
    """Keep what somebody says of a group."""
    by = operator(request)
    line = present.line_of(key)
    if line is None:
        raise Http404
    given = {name: request.POST.get(name, "") for name in ("state", "owner", "note")}
    try:
        decide_on(line.id, by=by, **given)
    except BadDecisionError as error:
        return render(request, "tracing/bad_request.html", {"reason": str(error)}, status=400)
    return HttpResponseRedirect(f"{PATH}{key}", status=303)
