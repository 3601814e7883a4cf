"""Edit and retry one record, put dead letters aside, take them back: an operator's POSTs."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.http import Http404, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST
from msgspec import structs

from tracing.domain.errors import EventvizError
from tracing.domain.text import clean
from tracing.models import DeadLetter
from tracing.projections.reading import stored_records
from tracing.retry import editing, letters, runs
from tracing.retry.candidates import Judge, Verdict, candidates, place_of
from tracing.retry.selection import BadSelectionError, Selection
from tracing.web.flow.fit import Fit, fit_of_record
from tracing.web.retries import form
from tracing.web.retries.views import operator

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tracing.domain.record import Record


class MisfitError(EventvizError):
    """It breaks its schema, as said below: mend it, or say that it shall go out so."""


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest) -> HttpResponse:
    """Show a record's value to edit; with POST, send what became of it."""
    posted = request.method == "POST"
    by = operator(request) if posted else ""
    values = request.POST if posted else request.GET
    number, record = _record(values)
    context = _context(number, record, values)
    try:
        context["before"] = editing.editable(record.value)
    except editing.NotEditableError as error:
        return render(request, "tracing/bad_request.html", {"reason": str(error)}, status=400)
    if not posted:
        context["text"] = context["before"]
        return render(request, "tracing/retry_edit.html", context)
    try:
        edited = editing.edit(record.value, context["text"], plain=context["plain"])
        fit = context["fit"] = _fit(record, edited.value, context["verdict"])
        if fit.violations and not context["anyway"]:
            raise MisfitError
        run = runs.ask(_asked(number, edited, by, context))
    except editing.BadTextError as error:
        context |= {"error": str(error), "line": error.line}
    except EventvizError as error:
        context["error"] = str(error)
    else:
        return redirect(runs.url_of(run))
    return render(request, "tracing/retry_edit.html", context, status=422)


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Say how a value that is being edited stands to its schema. Sends and stores nothing."""
    operator(request)
    values = request.POST
    number, record = _record(values)
    fit, unread = Fit(), ""
    try:
        edited = editing.edit(record.value, values.get("text", ""), plain=bool(values.get("plain")))
        fit = _fit(record, edited.value, _verdict(number))
    except EventvizError as error:
        unread = error.sentence
    context = {"fit": fit, "unread": unread, "anyway": bool(values.get("anyway"))}
    return render(request, "tracing/partials/_edit_fit.html", context)


@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Put dead letters aside, with a reason."""
    by = operator(request)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        context = {"reason": "Say why: the reason is kept in the audit."}
        return render(request, "tracing/bad_request.html", context, status=422)
    letters.discard(_numbers(request.POST), by=by, reason=reason)
    return redirect(_back(request))


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Take back what was put aside."""
    letters.restore(_numbers(request.POST), by=operator(request))
    return redirect(_back(request))


def _asked(number: int, edited: editing.Edited, by: str, context: dict[str, Any]) -> runs.Asked:
    dead = DeadLetter.objects.filter(record=number).exists()
    changed = runs.Edit(edited.value, edited.difference) if edited.difference else None
    return runs.Asked(
        kind="retry" if dead else "replay",
        selection=Selection(kind="records", records=(number,)),
        by=by,
        reason=context["reason"],
        rate_per_s=form.DEFAULT_RATE,
        token=context["token"],
        edit=changed,
    )


def _record(values: QueryDict) -> tuple[int, Record]:
    numbers = _numbers(values)
    found = stored_records(numbers[:1])
    if not found:
        raise Http404
    return numbers[0], found[numbers[0]]


def _context(number: int, record: Record, values: QueryDict) -> dict[str, Any]:
    verdict = _verdict(number)
    return {
        "number": number,
        "place": place_of(number),
        "verdict": verdict,
        "headers": len(record.headers),
        "text": values.get("text", ""),
        "plain": bool(values.get("plain")),
        "reason": clean(values.get("reason", "").strip(), runs.MAX_REASON),
        "token": values.get("token", "")[:64] or uuid.uuid4().hex,
        "anyway": bool(values.get("anyway")),
        "fit": _fit(record, record.value, verdict),
        "error": "",
        "unread": "",
        "line": 0,
    }


def _verdict(number: int) -> Verdict:
    """Return whether a retry of a record could be sent, and where to."""
    return Judge(kind="retry", wanted="").verdicts(candidates([number]))[0]


def _fit(record: Record, value: bytes | None, verdict: Verdict) -> Fit:
    """Return how a value fits its schema where it would go, under the record's key and headers."""
    topic = verdict.target.topic or record.topic
    whole = len(value or b"")
    return fit_of_record(
        structs.replace(record, topic=topic, value=value, value_length=whole, value_sha256=None)
    )


def _numbers(values: QueryDict) -> list[int]:
    try:
        selection, _ = form.selection_of(values, now_ms=0)
    except BadSelectionError:
        raise Http404 from None
    return list(selection.records)


def _back(request: HttpRequest) -> str:
    """Return the page of ours that was asked from."""
    back = request.POST.get("back", "")
    allowed = url_has_allowed_host_and_scheme(back, {request.get_host()}) and back.startswith("/")
    return back if allowed else "/retries/"
