"""Retries over the JSON API: plan, start, list, look, cancel."""

from __future__ import annotations

import functools
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tracing.domain.errors import EventvizError
from tracing.domain.text import clean
from tracing.models import RetryRun
from tracing.retry import runs
from tracing.retry import selection as selecting
from tracing.retry.plan import plan
from tracing.retry.selection import BadSelectionError, Selection
from tracing.web.access import Role, has_role
from tracing.web.api import parameters, represent
from tracing.web.api.views import answer, failure
from tracing.web.retries.form import DEFAULT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BODY = 256 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The end of the year 9998.
_LAST_US = 253_000_000_000_000_000


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What `POST /api/retries` takes. Exactly one of the selections."""

    kind: str = ""
    records: list[int] = []
    group: str = ""
    filter: dict[str, str] = {}
    flow: str = ""
    key: str = ""
    topic: str = ""
    since: str = ""
    until: str = ""
    target: str = ""
    rate_per_s: float = DEFAULT_RATE
    reason: str = ""
    token: str = ""
    dry_run: bool = False


def endpoint(*methods: str) -> Callable[..., Callable[..., HttpResponse]]:
    """Let a view answer these methods only, and turn what it raises into JSON errors.

    Scripts have no form's token: `/api/` takes a request from our own origin or with a bearer's
    token (`web.access`), and a POST only as JSON, which no form can send.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def guarded(request: HttpRequest, **captured: Any) -> HttpResponse:
            if request.method not in methods:
                refused = failure(f"Only {' and '.join(methods)}.", status=405)
                refused["Allow"] = ", ".join(methods)
                return refused
            if request.method == "POST" and not has_role(request.user, Role.OPERATOR):
                return failure("This needs the operator's role.", status=403)
            if request.method == "POST" and request.content_type != "application/json":
                return failure("Send JSON: Content-Type: application/json.", status=415)
            try:
                return view(request, **captured)
            except (EventvizError, msgspec.ValidationError, msgspec.DecodeError) as error:
                return failure(str(error), status=400)
            except DatabaseError as error:
                return failure(f"The database does not answer: {error}", status=503)

        return csrf_exempt(guarded)

    return decorate


@endpoint("GET", "HEAD", "POST")
def retries(request: HttpRequest) -> HttpResponse:
    """List the runs, newest first; with POST, plan (`dry_run`) or start one."""
    if request.method == "POST":
        return _start(request)
    given = request.GET.dict()
    parameters.check_known(given, ("limit", "cursor"))
    limit = parameters.limit(given)
    query = RetryRun.objects.order_by("-asked_at", "-id")
    before = parameters.whole(given, "cursor")
    if before is not None:
        query = query.filter(asked_at__lt=_EPOCH + timedelta(microseconds=min(before, _LAST_US)))
    found = list(query[: limit + 1])
    following = str(_us(found[limit - 1])) if len(found) > limit else None
    return answer({"retries": [represented(run) for run in found[:limit]], "next": following})


@endpoint("GET", "HEAD")
def retry(request: HttpRequest, *, run_id: uuid.UUID) -> HttpResponse:  # noqa: ARG001
    """Return one run with its counters."""
    run = RetryRun.objects.filter(id=run_id).first()
    return answer(represented(run)) if run else failure("There is no such retry.", status=404)


@endpoint("POST")
def cancel(request: HttpRequest, *, run_id: uuid.UUID) -> HttpResponse:
    """End a run: nothing more is sent. One of which all is sent stays as it is."""
    run = RetryRun.objects.filter(id=run_id).first()
    if run is None:
        return failure("There is no such retry.", status=404)
    runs.cancel(run, request.user.get_username())
    run.refresh_from_db()
    return answer(represented(run))


def represented(run: RetryRun) -> dict[str, Any]:
    """Return a run as JSON."""
    return {
        "id": str(run.id),
        "kind": run.kind,
        "state": run.state,
        "selection": selecting.load(run.selection).words,
        "target": run.target or None,
        "asked_by": run.asked_by,
        "asked_at": represent.moment(_us(run)),
        "reason": run.reason,
        "rate_per_s": run.rate_per_s,
        **runs.counters(run),
        "error": run.error or None,
        "finished": run.finished_at is not None,
        "url": runs.url_of(run),
    }


def _start(request: HttpRequest) -> HttpResponse:
    if len(request.body) > MAX_BODY:
        return failure(f"At most {MAX_BODY:,} bytes.", status=413)
    body = msgspec.json.decode(request.body, type=Body)
    wanted = _selection(body)
    wanted.check()
    kind = body.kind or ("retry" if wanted.kind in ("group", "filter") else "replay")
    if kind not in ("retry", "replay"):
        raise parameters.BadParameterError("kind", "retry or replay.")
    if body.dry_run:
        return answer(_planned(wanted, kind, body.target))
    run = runs.ask(
        runs.Asked(
            kind=kind,
            selection=wanted,
            by=request.user.get_username(),
            reason=body.reason,
            rate_per_s=body.rate_per_s,
            token=body.token or uuid.uuid4().hex,
            target=clean(body.target, 249),
        )
    )
    return answer(represented(run), status=201)


def _selection(body: Body) -> Selection:
    named = [
        name
        for name in ("records", "group", "filter", "flow", "key", "topic")
        if getattr(body, name)
    ]
    if len(named) != 1:
        raise BadSelectionError
    if body.records:
        return Selection(kind="records", records=tuple(dict.fromkeys(body.records)))
    if body.filter:
        return Selection(kind="filter", text=urlencode(body.filter))
    if body.topic:
        times = {"since": body.since, "until": body.until}
        since, until = (parameters.time_ms(times, name) for name in times)
        return Selection(kind="topic", text=body.topic, since_ms=since, until_ms=until)
    return Selection(kind=named[0], text=clean(str(getattr(body, named[0]))))  # type: ignore[arg-type]


def _planned(wanted: Selection, kind: str, target: str) -> dict[str, Any]:
    found = plan(wanted, kind=kind, target=target)
    return {
        "dry_run": True,
        "planned": found.looked,
        "more": found.more,
        "sendable": found.sendable,
        "targets": found.targets,
        "processed_already": len(found.processed),
        "would_loop": found.loops,
        "not_in_log": found.missing,
        "left_out": found.reasons,
    }


def _us(run: RetryRun) -> int:
    """Return when a run was asked for, in microseconds: exact, as it is a cursor."""
    return (run.asked_at - _EPOCH) // timedelta(microseconds=1)
