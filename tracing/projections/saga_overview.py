"""All sagas at a glance: by definition how many stand where, since when, how long steps take."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec
from django.db.models import Min

from tracing.domain.buckets import percentile_ms
from tracing.domain.saga.instance import Flag, Phase
from tracing.models import SagaCount, SagaDuration, SagaFlagCount, SagaInstance
from tracing.projections.flow_reading import FlowFilter, list_flows
from tracing.projections.saga_decisions import applied_sagas

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.saga.definition import Version

# Counting what the clock makes of it stops here.
COUNTED = 1_000
# So many steps of a definition are shown: those where most wait, and the first ones' durations.
MAX_STEPS = 12
MAX_DEFINITIONS = 50
# The flows of which is told how many begin without a definition.
LOOKED = 200
_MAX_ROWS = 20_000


class Here(msgspec.Struct, frozen=True):
    """So many sagas wait at a step, the first since `since_ms`."""

    step: str
    count: int
    since_ms: int | None


class Pace(msgspec.Struct, frozen=True):
    """How long a step takes: half of them at most `p50_ms`; None before one was done."""

    step: str
    p50_ms: float | None
    p95_ms: float | None


class Flagged(msgspec.Struct, frozen=True):
    """So many sagas bear a flag at a step, '' for none."""

    flag: Flag
    step: str
    count: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """One definition. `version` is None for one that was ended; counts are of all its instances.

    `overdue` and `stuck` stop at `COUNTED`.
    """

    name: str
    version: Version | None
    versions: int
    total: int
    states: tuple[tuple[Phase, str, int], ...]
    here: tuple[Here, ...]
    paces: tuple[Pace, ...]
    flags: tuple[Flagged, ...]
    overdue: int
    stuck: int


class Unknown(msgspec.Struct, frozen=True):
    """The types that begin flows without a definition, of the newest `looked` flows."""

    types: tuple[str, ...]
    looked: int


def overviews(now_ms: int) -> list[Overview]:
    """Return every definition that is in force or has instances, by name.

    Some six queries of counters and index ranges, and one for each step that is told.
    """
    versions = applied_sagas().versions
    counts: dict[str, Counter[tuple[int, str, str]]] = defaultdict(Counter)
    rows = SagaCount.objects.filter(n__gt=0).values_list(
        "definition", "phase", "state", "step", "n"
    )
    for definition, phase, state, step, n in rows[:_MAX_ROWS]:
        counts[definition][phase, state, step] += n
    named = sorted({*versions, *counts})[:MAX_DEFINITIONS]
    flags: dict[str, list[Flagged]] = defaultdict(list)
    marked = SagaFlagCount.objects.filter(definition__in=named, n__gt=0).order_by("flag", "step")
    for definition, flag, step, n in marked.values_list("definition", "flag", "step", "n")[:1_000]:
        flags[definition].append(Flagged(Flag(flag), step, n))
    overdue, stuck = _late("timeout_at_ms", now_ms), _late("stuck_from_ms", now_ms)
    # Those that live come first.
    totals = {name: sum(counts[name].values()) for name in named}
    named.sort(key=lambda name: (not totals[name], name))
    paces = _paces(versions, named)
    return [
        Overview(
            name=name,
            version=versions[name][-1] if name in versions else None,
            versions=len(versions.get(name, ())),
            total=totals[name],
            states=_states(counts[name]),
            here=tuple(_here(name, counts[name])),
            paces=tuple(paces.get(name, ())),
            flags=tuple(flags[name]),
            overdue=overdue[name],
            stuck=stuck[name],
        )
        for name in named
    ]


def without_definition(now_ms: int) -> Unknown:
    """Return what begins flows that no definition in force starts with."""
    known = {
        start
        for versions in applied_sagas().versions.values()
        for version in versions
        for start in version.definition.starts
    }
    page = list_flows(FlowFilter(), cursor=None, limit=LOOKED, now_ms=now_ms)
    begun = (line.strip[0][0] for line in page.lines if line.strip)
    types = dict.fromkeys(found for found in begun if found and found not in known)
    return Unknown(tuple(types), len(page.lines))


def _states(counts: Counter[tuple[int, str, str]]) -> tuple[tuple[Phase, str, int], ...]:
    by_state: Counter[tuple[int, str]] = Counter()
    for (phase, state, _), n in counts.items():
        by_state[phase, state] += n
    return tuple((Phase(phase), state, n) for (phase, state), n in sorted(by_state.items()))


def _here(name: str, counts: Counter[tuple[int, str, str]]) -> Iterable[Here]:
    """Yield the steps where sagas wait, most first. A query by index each."""
    by_step: Counter[str] = Counter()
    for (phase, _, step), n in counts.items():
        if step and Phase(phase).open:
            by_step[step] += n
    for step, n in by_step.most_common(MAX_STEPS):
        waiting = SagaInstance.objects.filter(definition=name, step=step, ended_ms=None)
        yield Here(step, n, waiting.aggregate(first=Min("since_ms"))["first"])


def _late(column: str, now_ms: int) -> Counter[str]:
    rows = SagaInstance.objects.filter(**{f"{column}__lt": now_ms})
    return Counter(rows.values_list("definition", flat=True)[:COUNTED])


def _paces(versions: dict[str, tuple[Version, ...]], named: list[str]) -> dict[str, list[Pace]]:
    wanted: dict[str, list[str]] = {}
    for name in named:
        if name in versions:
            steps = versions[name][-1].definition.steps[:MAX_STEPS]
            undos = [step.compensation.name for step in steps if step.compensation]
            wanted[name] = [*(step.name for step in steps), *undos]
    buckets: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    steps_of_all = {step for steps in wanted.values() for step in steps}
    rows = SagaDuration.objects.filter(definition__in=wanted, step__in=steps_of_all, n__gt=0)
    for name, step, bucket, n in rows.values_list("definition", "step", "bucket", "n")[:_MAX_ROWS]:
        buckets[name, step][bucket] = n
    return {
        name: [
            Pace(
                step,
                percentile_ms(buckets[name, step], 0.5),
                percentile_ms(buckets[name, step], 0.95),
            )
            for step in steps
            if (name, step) in buckets
        ]
        for name, steps in wanted.items()
    }
