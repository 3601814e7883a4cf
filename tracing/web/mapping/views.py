"""The mapping pages: look at what is read, try a mapping, apply it, end it, rebuild."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tracing.domain.text import clean
from tracing.projections import decisions
from tracing.web.access import Role, has_role
from tracing.web.flows.first_event import first_event
from tracing.web.mapping import form, present
from tracing.web.query import address

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tracing.web.context import HtmxRequest


@require_safe
def mapping(request: HtmxRequest) -> HttpResponse:
    """Show all topics, or one with a mapping to try; to htmx only the part that changes."""
    topic = clean(request.GET.get("topic", ""))
    can_apply = has_role(request.user, Role.OPERATOR)
    if not topic:
        context = present.overview(clean(request.GET.get("after", "")))
        context |= {"can_apply": can_apply, "first_event": first_event, "here": "/mapping/"}
        return render(request, "tracing/mapping.html", context)
    detail = present.detail(topic, request.GET.dict())
    if detail is None:
        context = {"topic": topic, "first_event": first_event}
        return render(request, "tracing/mapping_empty.html", context, status=404)
    detail |= {"can_apply": can_apply, "here": address("/mapping/", {"topic": topic})}
    template = "partials/_mapping.html" if request.htmx else "mapping_topic.html"
    response = render(request, f"tracing/{template}", detail)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
def apply(request: HttpRequest) -> HttpResponse:
    """Put a mapping in force, and ask for a rebuild unless told not to."""
    by = _operator(request)
    topic = clean(request.POST.get("topic", ""))
    tried = form.parse(request.POST.dict(), topic)
    if tried.mapping is None:
        reason = "; ".join(f"{form.LABELS.get(n, n)}: {words}" for n, words in tried.errors.items())
        context = {"reason": reason or "No field is filled in."}
        return render(request, "tracing/bad_request.html", context, status=400)
    try:
        decisions.apply(tried.mapping, by=by)
    except decisions.DecidedMeanwhileError as error:
        return render(request, "tracing/bad_request.html", {"reason": str(error)}, status=409)
    _rebuild_if_asked(request, by)
    return redirect(address("/mapping/", {"topic": topic}) + "#decisions")


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End a mapping, and ask for a rebuild unless told not to."""
    by = _operator(request)
    number = request.POST.get("decision", "")
    if number.isascii() and number.isdigit() and len(number) < 18:
        decisions.end(int(number), by=by)
    _rebuild_if_asked(request, by)
    return redirect(_back(request))


@require_http_methods(["GET", "HEAD", "POST"])
def rebuild(request: HtmxRequest) -> HttpResponse:
    """Ask for a rebuild; with GET, show to htmx where the last one stands."""
    if request.method == "POST":
        decisions.ask_for_rebuild(_operator(request))
        return redirect(_back(request))
    if not request.htmx:
        return redirect("mapping")
    state = present.rebuild_state(decisions.last_rebuild())
    return render(request, "tracing/partials/_rebuild.html", {"rebuild": state})


def _operator(request: HttpRequest) -> str:
    """Return who asks. Raises PermissionDenied for somebody who may only look."""
    if not has_role(request.user, Role.OPERATOR):
        raise PermissionDenied
    return request.user.get_username()


def _rebuild_if_asked(request: HttpRequest, by: str) -> None:
    if request.POST.get("rebuild"):
        decisions.ask_for_rebuild(by)


def _back(request: HttpRequest) -> str:
    """Return the page that was asked from: of a topic or of all."""
    topic = clean(request.POST.get("topic", ""))
    return address("/mapping/", {"topic": topic}) + "#decisions"
