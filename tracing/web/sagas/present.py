"""One saga as its page, its partials and its socket show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.template.loader import render_to_string

from tracing.domain.failure import group_key
from tracing.domain.saga.instance import Phase
from tracing.domain.text import hash64
from tracing.drawing.durations import duration
from tracing.projections import saga_reading as reading
from tracing.projections.dead_message_reading import groups_of_events
from tracing.web.address import flow_url
from tracing.web.context import now_ms
from tracing.web.present import Sign, reason_words, short_id
from tracing.web.query import address
from tracing.web.sagas import words
from tracing.web.sagas.cards import countdown
from tracing.web.sagas.looks import LOOKS, stand_of
from tracing.web.sagas.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracing.domain.facts import Fact
    from tracing.projections.saga_reading import SagaDetail

PATH = "/sagas/"
# So many states of the history are listed, the newest ones.
MAX_HISTORY = 50
_SYMBOLS = {"late": "!", "fail": "✕", "back": "↩"}


class Link(msgspec.Struct, frozen=True):
    """Where else to look."""

    label: str
    url: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above the timeline."""

    tab: str
    definition: str
    definition_url: str
    list_url: str
    key: str
    whole_key: str
    version: int
    pattern: str
    stand: Sign
    stand_words: str
    state: str
    started_ms: int
    ended_ms: int | None
    took: str
    story: str
    waits: str
    step: str
    since_ms: int
    timeout_at_ms: int | None
    countdown: str
    unasked: str
    to_come: str
    links: list[Link]


class Flagged(msgspec.Struct, frozen=True):
    """Something odd, with where to look."""

    said: words.Said
    symbol: str
    late: str
    links: list[Link]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A state of the history, by which event."""

    state: str
    type: str
    service: str
    reason: str
    after: str
    at_ms: int
    url: str


def saga_url(saga_id: str) -> str:
    """Return the page of a saga."""
    return f"{PATH}{saga_id}"


def definition_url(name: str, version: int | None = None) -> str:
    """Return the page of a definition: of its newest version unless another is asked for."""
    number = "" if version is None else str(version)
    return address(f"{PATH}definitions/edit", {"name": name, "version": number})


def context(detail: SagaDetail, *, opened: int | None = None) -> dict[str, Any]:
    """Return what all partials of one saga show."""
    at_ms = now_ms()
    one = detail.instance

    def url(fact: Fact) -> str:
        said = detail.of(fact)
        return flow_url(said.correlation_id, said.event_id) if said else ""

    def reason(fact: Fact) -> str:
        said = detail.of(fact)
        return reason_words(said.reason) if said and said.reason else ""

    drawn = timeline(
        one,
        detail.definition,
        now_ms=at_ms,
        url=url,
        reason=reason,
        opened=opened,
        base=saga_url(detail.line.id),
    )
    return {
        "head": _head(detail, at_ms, reason),
        "track": drawn.track,
        "cards": drawn.cards,
        "lines": drawn.lines,
        "goes_back": one.phase not in {Phase.RUNNING, Phase.COMPLETED},
        "flags": _flags(detail, at_ms, reason, url),
        "history": list(_history(detail, url, reason)),
        "history_all": len(one.history),
        "history_left": max(len(one.history) - MAX_HISTORY, 0),
        "looks": LOOKS.values(),
        "now_ms": at_ms,
    }


def fragments(saga_id: str, opened: int | None) -> str:
    """Return the whole saga for the socket, '' while there is none."""
    detail = reading.read_saga(saga_id)
    if detail is None:
        return ""
    return render_to_string("tracing/partials/_saga_live.html", context(detail, opened=opened))


def looks(saga_id: str) -> str:
    """Return what differs as soon as the saga changes, by an event or because a time passes."""
    line = reading.read_line(saga_id)
    if line is None:
        return ""
    at_ms = now_ms()
    return f"{line.position} {line.version} {line.is_overdue(at_ms)} {line.is_stuck(at_ms)}"


def _head(detail: SagaDetail, at_ms: int, reason: Any) -> Head:
    line, one = detail.line, detail.instance
    flagged = {odd.flag for odd in one.flags}
    stand = stand_of(one.phase, one.timeout_at_ms, line.stuck_from_ms, at_ms, flagged)
    back = one.phase in {Phase.COMPENSATING, Phase.FAILED} and stand.tone == "late"
    return Head(
        tab=f"{short_id(line.name, 40)} · {line.definition}",
        definition=line.definition,
        definition_url=definition_url(line.definition),
        list_url=address(PATH, {"definition": line.definition}),
        key=line.name,
        whole_key=line.key,
        version=line.version,
        pattern="orchestrated" if detail.definition.orchestrated else "by choreography",
        stand=stand,
        stand_words=f"{stand.word} in compensation" if back else stand.word,
        state=one.state,
        started_ms=one.started_ms,
        ended_ms=one.ended_ms,
        took=words.span_ms(max((one.ended_ms or 0) - one.started_ms, 0)),
        story=words.story(one, reason),
        waits="A person has to see to" if words.for_a_person(one) else "Waits for",
        step=one.step,
        since_ms=one.since_ms or one.last_ms,
        timeout_at_ms=one.timeout_at_ms,
        countdown=countdown((one.timeout_at_ms or 0) - at_ms),
        unasked=words.unasked(one, detail.definition),
        to_come=words.to_come(one),
        links=list(_links(detail)),
    )


def _links(detail: SagaDetail) -> Iterator[Link]:
    """Yield where the saga's events are: its flows, the first three, and its dead letters."""
    flows = list(dict.fromkeys(said.correlation_id for said in detail.said.values()))
    for number, correlation_id in enumerate(flows[:3], start=1):
        label = "Flow graph" if len(flows) == 1 else f"Flow graph {number} of {len(flows)}"
        yield Link(label, flow_url(correlation_id))
    yield from _dead(said.event_id for said in detail.said.values())
    yield Link("JSON", f"/api/sagas/{detail.line.id}")


def _dead(event_ids: Iterator[str]) -> Iterator[Link]:
    found = groups_of_events([hash64(event_id) for event_id in event_ids])
    for number, (group, record) in enumerate(sorted(set(found.values()))[:3]):
        label = "See the dead letter" if not number else "another one"
        yield Link(label, f"/dead-letters/{group_key(group)}/{record}")


def _flags(detail: SagaDetail, at_ms: int, reason: Any, url: Any) -> list[Flagged]:
    one = detail.instance
    facts = {fact.record: fact for fact in _facts(detail)}
    found = []
    for said in words.flags_of(one, detail.definition, detail.line.name, reason, now_ms=at_ms):
        fact = facts.get(said.record) if said.record is not None else None
        here = detail.of(fact)
        links = [Link("See the event", url(fact))] if fact and here else []
        links += list(_dead(iter([here.event_id]))) if here else []
        links += list(_again(said.again)) if said.again else []
        late = words.span_ms(max(at_ms - (said.late_ms or 0), 0) // 1_000 * 1_000)
        found.append(Flagged(said, _SYMBOLS[said.tone], late, links))
    return found


def _again(command: Fact) -> Iterator[Link]:
    yield Link(f"Send {command.type} again", f"/retries/new?kind=replay&record={command.record}")
    yield Link("Edit and send it", f"/retries/edit?record={command.record}")


def _facts(detail: SagaDetail) -> Iterator[Fact]:
    for step in detail.instance.steps:
        for one in (step, step.compensation):
            if one is not None:
                yield from (fact for fact in (one.command, one.result) if fact is not None)


def _history(detail: SagaDetail, url: Any, reason: Any) -> Iterator[Changed]:
    one = detail.instance
    for change in reversed(one.history[-MAX_HISTORY:]):
        fact = change.fact
        yield Changed(
            state=change.state,
            type=fact.type,
            service=fact.service,
            reason=reason(fact),
            after=duration(fact.time_us - one.start.time_us),
            at_ms=fact.timestamp_ms,
            url=url(fact),
        )
