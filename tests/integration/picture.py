"""All that the read models say, without numbers that another run would not give."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.db.models import Model

from tracing.domain.text import digest16
from tracing.models import (
    DeadLetter,
    DeadLetterGroup,
    DeadLetterHour,
    Event,
    EventBlock,
    EventIndex,
    Flow,
    FlowCount,
    LogHead,
    Partition,
    RecordBlock,
    RetriedRecord,
    RetryCopy,
    SagaCount,
    SagaDefinition,
    SagaDuration,
    SagaFlag,
    SagaFlagCount,
    SagaFlow,
    SagaInstance,
    SearchKey,
    SeenInterval,
    SeenVersion,
    Source,
    Undecodable,
    UndecodableReason,
)
from tracing.models import Record as RecordRow
from tracing.projections import saga_facts
from tracing.projections.catalogue import Catalogue
from tracing.projections.event_index import positions_of
from tracing.projections.events import behind
from tracing.projections.packing import load, unpack
from tracing.projections.saga_decisions import declare

# By the flow from one moment on; by a business key always: two versions, two rules.
SAGAS = (
    (
        """
saga: Order
starts: OrderPlaced
steps:
  - {name: Reserve, success: StockReserved, timeout: 1s,
     compensation: {name: Release, success: StockReleased}}
  - {name: Pay, success: Paid, failure: PaymentFailed}
ends: {completed: OrderCompleted}
""",
        1_700_000_000_001,
    ),
    (
        """
saga: Order
starts: [OrderPlaced, StockReserved]
key: $.order
steps:
  - {name: Pay, success: StockReleased, failure: PaymentFailed, timeout: 5m}
""",
        1_700_000_000_002,
    ),
)


def clear() -> None:
    """Empty every table of the log and its read models."""
    events = (Event, EventBlock, EventIndex)
    flows = (Flow, FlowCount, SearchKey, Undecodable, UndecodableReason)
    failures = (DeadLetter, DeadLetterGroup, DeadLetterHour, RetryCopy, RetriedRecord)
    sagas = (SagaInstance, SagaFlow, SagaFlag, SagaCount, SagaFlagCount, SagaDuration)
    seen = (SeenVersion, SeenInterval)
    log = (RecordRow, RecordBlock, Partition, Source)
    for model in (*events, *flows, *failures, *sagas, *seen, SagaDefinition, *log):
        model.objects.all().delete()
    LogHead.objects.update(position=0)
    for text, valid_from_ms in SAGAS:
        moment = dt.datetime.fromtimestamp(valid_from_ms / 1_000, tz=dt.UTC)
        declare(text, by="test", valid_from=moment)


def picture(catalogue: Catalogue) -> dict[str, Any]:
    """Return everything the read models say, by content instead of by surrogate ids."""
    flows = {}
    by_id = {}
    for flow in Flow.objects.all():
        by_id[flow.id] = flow.correlation_id
        held = load(flow.facts)
        flows[flow.correlation_id] = {
            "row": {
                name: getattr(flow, name)
                for name in (
                    "joined_by",
                    "state",
                    "marks",
                    "events",
                    "records",
                    "started_ms",
                    "last_ms",
                    "duration_us",
                    "strip",
                )
            },
            "root": place_of(flow.root, catalogue),
            "failure": None if flow.failure is None else place_of(flow.failure, catalogue),
            "facts": sorted(
                (fact.place[:-1], fact.event, fact.cause or b"", fact.type)
                for fact in unpack(held.facts, catalogue)
            ),
        }
    rows = behind(0, 1_000_000)
    by_id_of_event = defaultdict(list)
    for row in rows:
        by_id_of_event[row.event_id].append(row.position)
    for event_id, held_at in by_id_of_event.items():
        assert sorted(positions_of([digest16(event_id)])) == held_at, event_id
    events = sorted(
        (place_of(row.record, catalogue), row.event_id, by_id[row.flow_id]) for row in rows
    )
    counts = {row.state: row.flows for row in FlowCount.objects.all() if row.flows}
    keys = sorted((row.key_hash, by_id[row.flow_id]) for row in SearchKey.objects.all())
    reasons = {row.id: (row.partition_id, row.reason) for row in UndecodableReason.objects.all()}
    undecodable = {
        "records": sorted(
            (place_of(row.record, catalogue), reasons[row.reason_id][1])
            for row in Undecodable.objects.all()
        ),
        "counts": sorted(
            (*catalogue.place(row.partition_id), row.reason, row.records)
            for row in UndecodableReason.objects.all()
        ),
    }
    return {
        "flows": flows,
        "events": events,
        "counts": counts,
        "keys": keys,
        "undecodable": undecodable,
        "failures": failures(by_id, catalogue),
        "sagas": sagas(by_id, catalogue),
        "versions": seen_versions(catalogue),
    }


def seen_versions(catalogue: Catalogue) -> list[Any]:
    """Return which versions were seen, by content."""
    return sorted(
        (
            catalogue.pair(row.node_id),
            (row.version, row.schema, row.records, row.first_ms, row.last_ms),
            sorted(SeenInterval.objects.filter(seen_id=row.id).values_list("start_ms", "records")),
        )
        for row in SeenVersion.objects.all()
    )


def sagas(correlations: dict[int, str], catalogue: Catalogue) -> dict[str, Any]:
    """Return what the read models say of sagas, by content."""
    derived = "id definition rule key version phase state step flags started_ms ended_ms last_ms"
    names = [*derived.split(), "since_ms", "timeout_at_ms", "stuck_from_ms"]
    instances = {}
    for row in SagaInstance.objects.all():
        held = saga_facts.load(row.facts)
        instances[row.id] = {
            "row": {name: getattr(row, name) for name in names},
            "start": row.start and place_of(row.start, catalogue),
            "failure": row.failure and place_of(row.failure, catalogue),
            "flow": row.flow_id and correlations[row.flow_id],
            "facts": sorted(fact.place[:-1] for fact in unpack(held.facts, catalogue)),
            "effects": held.effects,
        }
    flags = SagaFlag.objects.values_list("saga", "flag", "step", "definition", "started_ms")
    return {
        "instances": instances,
        "flows": sorted((row.saga, correlations[row.flow_id]) for row in SagaFlow.objects.all()),
        "flags": sorted(flags),
        "counters": [
            sorted(model._default_manager.filter(n__gt=0).values_list(*columns, "n"))
            for model, columns in (
                (SagaCount, ("definition", "phase", "state", "step")),
                (SagaFlagCount, ("definition", "flag", "step")),
                (SagaDuration, ("definition", "step", "bucket")),
            )
        ],
    }


def failures(correlations: dict[int, str], catalogue: Catalogue) -> dict[str, Any]:
    """Return what the read models say of failures, by content."""

    def rows(model: type[Model]) -> list[Any]:
        names = [field.name for field in model._meta.concrete_fields]
        found = []
        for row in model._default_manager.all():
            said = {name: getattr(row, name) for name in names if name not in {"pk", "position"}}
            if "record" in said:
                said["record"] = place_of(said["record"], catalogue)
            if "flow_id" in said:
                said["flow_id"] = correlations[said["flow_id"]]
            if "node_id" in said:
                said["node_id"] = catalogue.pair(said["node_id"])
            found.append(said)
        return sorted(found, key=repr)

    tables = (DeadLetter, DeadLetterGroup, DeadLetterHour, RetryCopy, RetriedRecord)
    return {model.__name__: rows(model) for model in tables}


def place_of(record: int, catalogue: Catalogue) -> tuple[str, int, int]:
    """Return topic, partition and offset of a record's number."""
    topic, number = catalogue.place(record >> 44)
    return topic, number, record & ((1 << 44) - 1)
