"""The definitions: all versions, the editor, and what an operator decides about them.

An operator may change them as a mapping: a version is never overwritten, ending one is undone by
saving it again, nothing is sent to Kafka, and each decision is in the audit.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from tracing.domain.errors import EventvizError
from tracing.domain.saga.document import MAX_CHARACTERS, BadDefinitionError
from tracing.domain.saga.parsing import parse
from tracing.domain.text import clean
from tracing.models import SagaDefinition
from tracing.projections import decisions, saga_decisions
from tracing.projections.saga_preview import Preview, preview
from tracing.retry import audit
from tracing.web.address import flow_url
from tracing.web.context import can_retry, now_ms
from tracing.web.mapping.present import rebuild_state
from tracing.web.query import BadTimeError, address, moment_ms
from tracing.web.retries.views import operator
from tracing.web.sagas.looks import sign_of_phase
from tracing.web.sagas.present import definition_url
from tracing.web.sagas.words import FLAGS, span_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

PATH = "/sagas/definitions/"
MAX_VERSIONS = 200
FROM = {
    "now": "what begins from now on",
    "always": "everything that is stored",
    "at": "what began since …",
}
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLE = """saga: {name}
starts: {starts}
# Or key, header:name, $.path.in.the.payload
key: correlation
steps:
  - name: Reserve stock
    success: StockReserved
    failure: StockReservationFailed
    timeout: 10s
    compensation:
      name: Release stock
      success: StockReleased
      timeout: 10s
  - name: Process payment
    success: PaymentProcessed
    failure: PaymentFailed
    timeout: 30s
ends:
  completed: OrderCompleted
  cancelled: OrderCancelled
"""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One version as a row; `current` is the newest in force of its name."""

    row: SagaDefinition
    url: str
    move_url: str
    valid_from_ms: int
    made_ms: int
    current: bool
    always: bool


@require_safe
def definitions(request: HttpRequest) -> HttpResponse:
    """Show every version of every definition."""
    rows = SagaDefinition.objects.order_by("name", "-version")[:MAX_VERSIONS]
    lines: list[Line] = []
    seen: set[str] = set()
    for row in rows:
        in_force = row.ended_at is None
        current = in_force and row.name not in seen
        if current:
            seen.add(row.name)
        lines.append(_line(row, current=current))
    context = {
        "lines": lines,
        "rebuild": rebuild_state(decisions.last_rebuild()),
        "can_edit": can_retry(request),
        "now_ms": now_ms(),
    }
    return render(request, "tracing/saga_definitions.html", context)


@require_safe
def edit(request: HttpRequest) -> HttpResponse:
    """Show the editor, with the newest or one version of a definition, or with an example."""
    name = clean(request.GET.get("name", ""))
    version = request.GET.get("version", "")
    rows = SagaDefinition.objects.filter(name=name).order_by("-version")
    if version.isascii() and version.isdigit() and len(version) < 9:
        rows = rows.filter(version=int(version))
    row = rows.first() if name else None
    starts = " ".join(clean(request.GET.get("starts", ""), 200).split()) or "OrderPlaced"
    # A new definition shall not become the next version of another one unawares.
    taken = SagaDefinition.objects.filter(name="Order", ended_at=None).exists()
    text = row.text if row else _EXAMPLE.format(name="My saga" if taken else "Order", starts=starts)
    return _editor(request, {"text": text, "row": row, "from": "always" if row else "now"})


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Preview a definition, or put it in force as a new version; a bad one is shown again."""
    posted = request.POST
    # What a browser sends ends its lines with CR LF.
    text = posted.get("text", "").replace("\r\n", "\n")
    given = {"text": text, **given_from(posted)}
    if posted.get("do") == "save":
        by = operator(request)
        try:
            row = saga_decisions.declare(text, by=by, valid_from=valid_from(given))
        except (EventvizError, BadTimeError) as error:
            return _editor(request, given, error=error, status=422)
        target = f"saga {row.name}, version {row.version}"
        outcome = {"valid_from": row.valid_from.isoformat()}
        url = definition_url(row.name)
        audit.write(
            who=by, what="define", target=target, url=url, why=given["reason"], outcome=outcome
        )
        return redirect(f"{PATH}#rebuild")
    try:
        definition = parse(text)
        valid_from(given)
    except (EventvizError, BadTimeError) as error:
        return _editor(request, given, error=error, status=422)
    given["preview"] = _shown(preview(definition, now_ms=now_ms()))
    given["name"] = definition.name
    return _editor(request, given)


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End one version of a definition."""
    by = operator(request)
    name = clean(request.POST.get("name", ""))
    version = request.POST.get("version", "")
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0
    if saga_decisions.end(name, version=number, by=by):
        url = definition_url(name, number)
        audit.write(who=by, what="end", target=f"saga {name}, version {number}", url=url)
    return redirect(f"{PATH}#rebuild")


def given_from(posted: Mapping[str, str]) -> dict[str, Any]:
    """Return from when on somebody lets a version hold, and why, as it was written."""
    chosen = posted.get("from", "now")
    return {
        "from": chosen if chosen in FROM else "now",
        "at": clean(posted.get("at", "").strip(), 60),
        "reason": clean(posted.get("reason", "").strip(), 500),
    }


def _line(row: SagaDefinition, *, current: bool) -> Line:
    return Line(
        row=row,
        url=definition_url(row.name, row.version),
        move_url=address(f"{PATH}move", {"name": row.name, "version": str(row.version)}),
        valid_from_ms=int(row.valid_from.timestamp() * 1_000),
        made_ms=int(row.made_at.timestamp() * 1_000),
        current=current,
        always=row.valid_from.year <= BEGINNING.year,
    )


def valid_from(given: Mapping[str, Any]) -> datetime:
    """Return from when on a version shall hold. Raises BadTimeError."""
    if given["from"] == "always":
        return BEGINNING
    if given["from"] == "at":
        at_ms = moment_ms(given["at"], now_ms=now_ms())
        if at_ms is None:
            raise BadTimeError("Say since when.")
        return datetime.fromtimestamp(at_ms / 1_000, UTC)
    return timezone.now()


def _editor(
    request: HttpRequest,
    given: dict[str, Any],
    *,
    error: EventvizError | None = None,
    status: int = 200,
) -> HttpResponse:
    row = given.get("row")
    context = {
        "at": "",
        "reason": "",
        "preview": None,
        "name": row.name if row else "",
        "row": None,
        "shown": _line(row, current=False) if row else None,
        **given,
        "chosen": given["from"],
        "choices": FROM.items(),
        "error": str(error) if error else "",
        "line": error.line if isinstance(error, BadDefinitionError) else 0,
        "lines": given["text"].count("\n") + 1,
        "versions": [
            _line(one, current=False)
            for one in SagaDefinition.objects.filter(name=row.name).order_by("-version")[:20]
        ]
        if row
        else [],
        "most": MAX_CHARACTERS,
        "can_edit": can_retry(request),
        "now_ms": now_ms(),
    }
    return render(request, "tracing/saga_edit.html", context, status=status)


def _shown(found: Preview) -> dict[str, Any]:
    """Return a preview in words."""
    rows = []
    for one in found.would:
        instance = one.instance
        end_ms = instance.ended_ms if instance.ended_ms is not None else instance.last_ms
        rows.append(
            {
                "key": one.key,
                "url": flow_url(one.correlation_id),
                "sign": sign_of_phase(instance.phase),
                "state": instance.state,
                "step": instance.step,
                "odd": ", ".join(dict.fromkeys(FLAGS[flag.flag] for flag in instance.flags)),
                "took": span_ms(max(end_ms - instance.started_ms, 0)),
                "started_ms": instance.started_ms,
            }
        )
    return {"rows": rows, "flows": found.flows, "unseen": found.unseen, "cut": found.cut}
