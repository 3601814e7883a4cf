"""Plan, runs and audit over HTTP: what changes something is an operator's POST."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tracing.domain.errors import EventvizError
from tracing.domain.text import clean
from tracing.models import RetryRun
from tracing.retry import runs
from tracing.retry.selection import BadSelectionError
from tracing.web.access import Role, has_role
from tracing.web.context import now_ms
from tracing.web.retries import form, present

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from tracing.web.retries.form import Given


@require_safe
def new(request: HttpRequest) -> HttpResponse:
    """Show what a run would do, and the form that starts it."""
    try:
        given = form.parse(request.GET, now_ms=now_ms())
    except BadSelectionError as error:
        return render(request, "tracing/bad_request.html", {"reason": str(error)}, status=400)
    return _plan(request, given)


@require_http_methods(["GET", "HEAD", "POST"])
def retries(request: HttpRequest) -> HttpResponse:
    """Show all runs; with POST, start one and go to its page."""
    if request.method != "POST":
        return render(request, "tracing/retries.html", present.overview())
    by = operator(request)
    try:
        given = form.parse(request.POST, now_ms=now_ms())
    except BadSelectionError as error:
        return render(request, "tracing/bad_request.html", {"reason": str(error)}, status=400)
    if not given.reason:
        given.errors["reason"] = "Say why: the reason is kept in the audit."
    if given.errors:
        return _plan(request, given, status=422)
    try:
        run = runs.ask(
            runs.Asked(
                kind=given.kind,
                selection=given.selection,
                by=by,
                reason=given.reason,
                rate_per_s=given.rate_per_s,
                token=request.POST.get("token", ""),
                target=given.target,
            )
        )
    except EventvizError as error:
        return render(request, "tracing/bad_request.html", {"reason": str(error)}, status=400)
    return redirect(runs.url_of(run))


@require_safe
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Show one run: its progress, and a result for each message."""
    after = request.GET.get("after", "")
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 18 else 0
    context = present.detail(run_id, clean(request.GET.get("state", "")), number)
    if context is None:
        raise Http404
    return render(request, "tracing/retry_run.html", context)


@require_POST
def pause(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Pause a run."""
    return _turn(request, run_id, runs.pause)


@require_POST
def resume(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Go on with a paused run."""
    return _turn(request, run_id, runs.resume)


@require_POST
def cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """End a run."""
    return _turn(request, run_id, runs.cancel)


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Show who did what, the newest first."""
    before = request.GET.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    who, what = (clean(request.GET.get(name, "")) for name in ("who", "what"))
    return render(request, "tracing/audit.html", present.audit_page(number, who, what))


def operator(request: HttpRequest) -> str:
    """Return who asks. Raises PermissionDenied for somebody who may only look."""
    if not has_role(request.user, Role.OPERATOR):
        raise PermissionDenied
    return request.user.get_username()


def _turn(
    request: HttpRequest, run_id: uuid.UUID, turn: Callable[[RetryRun, str], bool]
) -> HttpResponse:
    by = operator(request)
    found = RetryRun.objects.filter(id=run_id).first()
    if found is None:
        raise Http404
    turn(found, by)
    return redirect(runs.url_of(found))


def _plan(request: HttpRequest, given: Given, *, status: int = 200) -> HttpResponse:
    context = present.planned(given)
    # What was refused keeps its token: sent once more, it is still one run.
    context["token"] = request.POST.get("token", "")[:64] or context["token"]
    return render(request, "tracing/retry_new.html", context, status=status)
