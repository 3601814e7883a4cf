"""One dead letter: its failure, its bytes, its way to here and the flow that it left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.template.loader import render_to_string

from tracing.domain.failure import group_of
from tracing.domain.processed import processed_twice
from tracing.projections import dead_message_reading as messages
from tracing.projections import reading
from tracing.retry.effects import deaths
from tracing.schemas.wire import within
from tracing.web import query
from tracing.web.address import element_id, event_api_url, flow_url
from tracing.web.context import now_ms
from tracing.web.dead_letters.present import line_of
from tracing.web.dead_letters.words import ASIDE, OPEN, group_row
from tracing.web.flow import payload
from tracing.web.flow.fit import Fit, fit_of_record
from tracing.web.flow.present import fragment_context
from tracing.web.present import TIERS, Sign
from tracing.web.retries.present import retries_of
from tracing.web.sagas.linking import links_of

if TYPE_CHECKING:
    from tracing.projections.dead_message_reading import AttemptLine, DeadLine


class AttemptRow(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt as a line; `here` is the record that the page is about."""

    line: AttemptLine
    sign: Sign
    here: bool
    url: str


def way(line: DeadLine) -> dict[str, Any]:
    """Return what `_dead_letter_way.html` shows: what alters after the message died."""
    flows = messages.correlations([line.flow])
    correlation_id = flows.get(line.flow, "")
    attempts = _attempts(line, correlation_id)
    retries = retries_of(line.record)
    return {
        **_flow(correlation_id, line),
        **retries,
        "attempts": attempts,
        "sagas": links_of(line.flow, now_ms=now_ms()),
        "standing": _standing(line, attempts, retries),
        "correlation_id": correlation_id,
        "now_ms": now_ms(),
    }


def _standing(line: DeadLine, attempts: list[AttemptRow], retries: dict[str, Any]) -> Sign:
    """Return how the message stands: put aside, by its newest retry or attempt, else open."""
    if retries["discard"] is not None:
        return ASIDE
    if retries["retried"]:
        sign: Sign = retries["retried"][0].sign
        return sign
    newest = attempts[-1] if attempts else None
    return OPEN if newest is None or newest.line.record == line.record else newest.sign


def way_fragment(key: str, record: int) -> str:
    """Return the live part of a dead letter's page for the socket, '' when it is gone."""
    group_id = group_of(key)
    line = None if group_id is None else messages.read_message(group_id, record)
    if line is None:
        return ""
    return render_to_string("tracing/partials/_dead_letter_way.html", {**way(line), "oob": True})


def message(key: str, record: int) -> dict[str, Any] | None:
    """Return what `dead_letter.html` shows, None for a record that is not in the group."""
    group = line_of(key)
    line = messages.read_message(group.id, record) if group else None
    if group is None or line is None:
        return None
    stored = reading.stored_record(record, 0)
    failure = messages.failure_in(stored.record) if stored else None
    fit = fit_of_record(stored.record) if stored else Fit()
    envelope = within(stored.record.value, stored.payload) if stored else ()
    wrong = {(*envelope, *steps) for steps in fit.steps}
    headers, more_headers = payload.headers(stored.record.headers if stored else ())
    told = way(line)
    source = messages.source_record(line)
    return {
        "row": group_row(group),
        "line": line,
        "failure": failure,
        "stack": payload.visible(failure.stack) if failure and failure.stack else "",
        "stored": stored,
        "shown": payload.preview(stored.record, wrong) if stored else None,
        "fit": fit,
        "headers": headers,
        "more_headers": more_headers,
        "source_stored": source is not None,
        "event_url": flow_url(told["correlation_id"], line.event_id),
        "api_url": event_api_url(line.event_id),
        "socket": query.address("/live/dead-message", {"group": key, "record": str(record)}),
        **told,
    }


def _attempts(line: messages.DeadLine, correlation_id: str) -> list[AttemptRow]:
    found = messages.attempts_at(line.event_id, line.flow)
    return [
        AttemptRow(
            line=one,
            sign=TIERS[one.tier],
            here=one.record == line.record,
            url=flow_url(correlation_id, line.event_id),
        )
        for one in found
    ]


def _flow(correlation_id: str, line: DeadLine) -> dict[str, Any]:
    """Return the flow's graph, with the event that left the path, and what happened twice."""
    detail = reading.read_flow(correlation_id)
    if detail is None:
        return {"graph": None, "twice": [], "left_at": ""}
    events = [item.event for item in detail.events]
    context = fragment_context(detail, now_ms=now_ms(), base=flow_url(correlation_id))
    death = deaths([line.record]).get(line.record)
    return {
        "graph": context,
        "left_at": element_id("ev", line.event_id),
        "twice": processed_twice(events, {line.event_id: death} if death else {}),
    }
