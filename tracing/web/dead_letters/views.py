"""The inbox, a group, a message, what waits; decisions are an operator's POST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tracing.projections.dead_letter_reading import parse_filter
from tracing.projections.reading import head
from tracing.retry.aside import discard_group, open_letters, restore_group
from tracing.retry.decisions import BadDecisionError
from tracing.retry.decisions import decide as decide_on
from tracing.web import query
from tracing.web.dead_letters import present
from tracing.web.dead_letters.message import message as message_context
from tracing.web.dead_letters.words import PATH, group_row
from tracing.web.retries.views import operator

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tracing.projections.dead_letter_reading import GroupLine

# Of a position that a form brings back.
MAX_DIGITS = 19


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
    line = _line(key)
    given = {name: request.POST.get(name, "") for name in ("state", "owner", "note")}
    try:
        decide_on(line.id, by=by, **given)
    except BadDecisionError as error:
        return render(request, "tracing/bad_request.html", {"reason": str(error)}, status=400)
    return HttpResponseRedirect(f"{PATH}{key}", status=303)


@require_http_methods(["GET", "HEAD", "POST"])
def put_aside(request: HttpRequest, key: str) -> HttpResponse:
    """Say how many messages of a group would be put aside; with POST, put them aside."""
    by = operator(request)
    line = _line(key)
    given = request.POST.get("until", "")
    until = int(given) if given.isdigit() and len(given) < MAX_DIGITS else head().position
    count = open_letters(line.id, until=until).count()
    reason = request.POST.get("reason", "").strip()
    context = {
        "row": group_row(line),
        "until": until,
        "count": count,
        "more": count < line.open,
        "reason": reason,
        "error": "Say why: the reason is kept in the audit.",
    }
    if request.method != "POST":
        return render(request, "tracing/dead_letter_aside.html", {**context, "error": ""})
    if not reason:
        return render(request, "tracing/dead_letter_aside.html", context, status=422)
    discard_group(line.id, until=until, by=by, reason=reason)
    return HttpResponseRedirect(f"{PATH}{key}", status=303)


@require_POST
def restore(request: HttpRequest, key: str) -> HttpResponse:
    """Take back all of a group that was put aside."""
    by = operator(request)
    restore_group(_line(key).id, by=by)
    return HttpResponseRedirect(f"{PATH}{key}", status=303)


def _line(key: str) -> GroupLine:
    line = present.line_of(key)
    if line is None:
        raise Http404
    return line
