"""Sagas as JSON: a list, and one with its steps, history and flags."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from tracing.projections import saga_listing as listing
from tracing.projections.saga_reading import read_saga
from tracing.web.api import parameters
from tracing.web.api.represent import milliseconds, moment
from tracing.web.api.views import PAGING, answer, endpoint, failure

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tracing.domain.facts import Fact
    from tracing.domain.saga.instance import Taken, Undoing
    from tracing.projections.saga_reading import SagaDetail, SagaLine

FILTERS = listing.SagaFilter.__struct_fields__
_YES = {"1": "1", "true": "1", "0": "", "false": ""}
_CURSOR = re.compile(r"\d{1,15}-[0-9a-f]{32}")


@endpoint
def sagas(request: HttpRequest) -> HttpResponse:
    """List sagas, newest first."""
    given = request.GET.dict()
    parameters.check_known(given, (*FILTERS, *PAGING))
    for name in ("overdue", "stuck"):
        given[name] = _YES.get(parameters.choice(given, name, _YES), "")
    parameters.choice(given, "flag", listing.FLAGS)
    given["key"] = parameters.text(given, "key")
    nameable = listing.nameable(parameters.text(given, "definition"))
    for name, names in nameable.items():
        given[name] = parameters.choice({name: parameters.text(given, name)}, name, names)
    cursor = given.get("cursor", "")
    if cursor and not _CURSOR.fullmatch(cursor):
        raise parameters.BadParameterError("cursor", "a `next` of ours, or nothing.")
    now_ms = time.time_ns() // 1_000_000
    page = listing.list_sagas(
        listing.parse_filter(given),
        cursor=cursor or None,
        limit=parameters.limit(given),
        now_ms=now_ms,
    )
    shown = [_line(line, now_ms) for line in page.lines]
    return answer({"sagas": shown, "next": page.next, "tested": page.tested})


@endpoint
def saga(request: HttpRequest, *, saga_id: str) -> HttpResponse:
    """Return one saga with its steps in order, its history and its flags."""
    parameters.check_known(request.GET.dict(), ())
    found = read_saga(saga_id)
    if found is None:
        return failure("No saga has this id (yet).", status=404)
    return answer(_detail(found, time.time_ns() // 1_000_000))


def _line(line: SagaLine, now_ms: int) -> dict[str, Any]:
    return {
        "id": line.id,
        "definition": line.definition,
        "version": line.version,
        "key": line.key,
        "correlation_id": line.correlation_id,
        "state": line.state,
        "phase": line.phase.name.lower(),
        "step": line.step or None,
        "since": _at(line.since_ms),
        "timeout_at": _at(line.timeout_at_ms),
        "overdue": line.is_overdue(now_ms),
        "stuck": line.is_stuck(now_ms),
        "started_at": _at(line.started_ms),
        "ended_at": _at(line.ended_ms),
        "last_at": _at(line.last_ms),
        "flags": list(dict.fromkeys(one.flag.code for one in line.flags)),
    }


def _detail(found: SagaDetail, now_ms: int) -> dict[str, Any]:
    one = found.instance
    failed = found.of(one.failure)
    return {
        **_line(found.line, now_ms),
        "reason": (failed.reason or None) if failed else None,
        "steps": [
            {
                **_way(found, step),
                "compensation": _way(found, step.compensation) if step.compensation else None,
            }
            for step in one.steps
        ],
        "to_come": list(one.to_come),
        "history": [
            {
                "state": change.state,
                "at": moment(change.fact.time_us),
                "type": change.fact.type,
                "event_id": _event_id(found, change.fact),
            }
            for change in one.history
        ],
        "flags": [
            {
                "flag": flagged.flag.code,
                "step": one.steps[flagged.step].name if flagged.step >= 0 else None,
            }
            for flagged in one.flags
        ],
    }


def _way(found: SagaDetail, way: Taken | Undoing) -> dict[str, Any]:
    """Return a step, or the compensation of one; `event_id` is the event that decided."""
    return {
        "name": way.name,
        "status": way.status.value,
        "event_id": _event_id(found, way.result),
        "command_id": _event_id(found, way.command),
        "started_at": _at(way.started_ms),
        "timeout_at": _at(way.timeout_at_ms),
        "duration_ms": None if way.duration_us is None else milliseconds(way.duration_us),
    }


def _event_id(found: SagaDetail, fact: Fact | None) -> str | None:
    said = found.of(fact)
    return said.event_id if said else None


def _at(ms: int | None) -> str | None:
    return None if ms is None else moment(ms * 1_000)
