"""Another `valid_from` for a version: what it means is said before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from tracing.domain.text import clean
from tracing.models import SagaDefinition
from tracing.projections import saga_decisions
from tracing.projections.saga_moving import COUNTED, shifts_of_move
from tracing.retry import audit
from tracing.web.present import iso
from tracing.web.query import BadTimeError
from tracing.web.retries.views import operator
from tracing.web.sagas.definitions import BEGINNING, FROM, PATH, given_from, valid_from
from tracing.web.sagas.present import definition_url

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from tracing.projections.saga_moving import Shift


@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest) -> HttpResponse:
    """Ask from when on a version shall hold, say what that means, and do it."""
    by = operator(request)
    posted = request.POST
    row = _version(posted if request.method == "POST" else request.GET)
    given = given_from(posted)
    if request.method != "POST":
        always = row.valid_from == BEGINNING
        given |= {
            "from": "always" if always else "at",
            "at": "" if always else _iso(row.valid_from),
        }
        return _page(request, row, given)
    try:
        wanted = valid_from(given)
    except BadTimeError as error:
        return _page(request, row, given, error=str(error), status=422)
    # A moment is fixed when it is looked at: an age would mean another one when it is done.
    if given["from"] != "always":
        given |= {"from": "at", "at": _iso(wanted)}
    if posted.get("do") != "move":
        return _page(request, row, given, meaning=_meaning(row, wanted))
    before = row.valid_from
    if saga_decisions.move(row.name, row.version, valid_from=wanted, by=by):
        target = f"saga {row.name}, version {row.version}"
        outcome = {"valid_from": wanted.isoformat(), "before": before.isoformat()}
        url = definition_url(row.name, row.version)
        audit.write(
            who=by, what="move", target=target, url=url, why=given["reason"], outcome=outcome
        )
    return redirect(f"{PATH}#rebuild")


def _version(given: Any) -> SagaDefinition:
    """Return a version in force. Raises Http404."""
    number = given.get("version", "")
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        raise Http404
    rows = saga_decisions.in_force().filter(name=clean(given.get("name", "")), version=int(number))
    row = rows.first()
    if row is None:
        raise Http404
    return row


def _page(
    request: HttpRequest,
    row: SagaDefinition,
    given: dict[str, Any],
    *,
    meaning: dict[str, Any] | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        **given,
        "row": row,
        "edit_url": definition_url(row.name, row.version),
        "holds_from": _since(row.valid_from),
        "chosen": given["from"],
        "choices": FROM.items(),
        "meaning": meaning,
        "error": error,
    }
    return render(request, "tracing/saga_move.html", context, status=status)


def _meaning(row: SagaDefinition, wanted: datetime) -> dict[str, Any]:
    """Return in words what moving means, with nothing in `lines` when it changes nobody."""
    shifts = shifts_of_move(row.name, row.version, int(wanted.timestamp() * 1_000))
    return {
        "same": _iso(wanted) == _iso(row.valid_from),
        "from": _since(wanted),
        "lines": [_said(shift) for shift in shifts],
    }


def _said(shift: Shift) -> dict[str, str]:
    since = f"since {_minute(shift.from_ms)}" if shift.from_ms > 0 else ""
    before = f"before {_minute(shift.until_ms)}" if shift.until_ms is not None else ""
    began = " ".join(["What began", " and ".join(part for part in (since, before) if part)])
    count = f"{shift.sagas:,}{'+' if shift.sagas == COUNTED else ''} stored"
    sagas = f"{count} saga{'' if shift.sagas == 1 else 's'}"
    tone, becomes = "run", f"will be judged by version {shift.after} instead of {shift.before}"
    if shift.before is None:
        becomes, sagas = f"is no saga now: version {shift.after} will judge it", ""
    elif shift.after is None:
        tone, becomes = "back", "will be no saga any more, as no version covers it"
    return {"tone": tone, "text": f"{began} {becomes}{f': {sagas}' if sagas else ''}."}


def _since(moment: datetime) -> str:
    return "the beginning" if moment == BEGINNING else _minute(int(moment.timestamp() * 1_000))


def _minute(ms: int) -> str:
    """Return a moment as people read it, seconds where there are some."""
    told = iso(ms)[:19].replace("T", " ")
    return f"{told.removesuffix(':00')} UTC"


def _iso(moment: datetime) -> str:
    return iso(int(moment.timestamp() * 1_000))
