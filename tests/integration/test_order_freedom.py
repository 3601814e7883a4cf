"""Law 3: whatever the order, the repetition and the cut into batches, the rows equal a rebuild."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.log import stored
from tracing.domain.errors import CheckpointMovedError
from tracing.domain.record import Header, Record
from tracing.models import (
    DeadLetter,
    DeadLetterGroup,
    DeadLetterHour,
    Event,
    Flow,
    FlowCount,
    Gap,
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
from tracing.projections.packing import load, unpack
from tracing.projections.rebuild import rebuild
from tracing.projections.saga_decisions import declare
from tracing.projections.store import Slice, store

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

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
TYPES = ["OrderPlaced", "StockReserved", "PaymentFailed", "StockReleased", "OrderCompleted"]
HEADERS: list[Header] = [
    ("eventviz-retry-id", b"r-1"),
    ("eventviz-failure-exception", b"KeyError"),
    ("eventviz-failure-message", b"no ORD-1"),
    ("eventviz-failure-topic", b"stock"),
    ("eventviz-failure-partition", b"0"),
    ("eventviz-failure-offset", b"0"),
]


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Draw records of two topics with two partitions, of a retry and a dead letter topic.

    Copies, strange times, bad bodies, failures by header.
    """
    ids = [f"e{number}" for number in range(8)]
    topics = ("orders", "stock", "orders.retry.1", "orders.dlq")
    offsets = {(topic, number): 0 for topic in topics for number in (0, 1)}
    drawn = []
    for _ in range(draw(st.integers(1, 14))):
        topic, number = draw(st.sampled_from(sorted(offsets)))
        body: dict[str, Any] = {
            "eventId": draw(st.sampled_from(ids)),
            "eventType": draw(st.sampled_from(TYPES)),
            "correlationId": draw(st.sampled_from(["a", "b", "", None])),
            "causationId": draw(st.sampled_from([*ids, None])),
            "timestamp": draw(st.integers(1_700_000_000_000, 1_700_000_000_003)),
            "payload": {"order": draw(st.sampled_from([1, 2]))},
            "schemaVersion": draw(st.sampled_from([1, 2, None])),
        }
        value = draw(st.sampled_from([json.dumps(body).encode()] * 6 + [b"{broken"]))
        drawn.append(
            Record(
                topic=topic,
                partition=number,
                offset=offsets[topic, number],
                timestamp_ms=draw(st.integers(1_700_000_000_000, 1_700_000_000_002)),
                key=draw(st.sampled_from([b"k1", b"k2", None])),
                value=value,
                value_length=len(value),
                headers=tuple(draw(st.lists(st.sampled_from(HEADERS), max_size=5))),
            )
        )
        offsets[topic, number] += draw(st.integers(1, 3))
    return drawn


def clear() -> None:
    """Empty every table of the log and its read models."""
    read_models = (Event, Flow, FlowCount, SearchKey, Undecodable, UndecodableReason)
    failures = (DeadLetter, DeadLetterGroup, DeadLetterHour, RetryCopy, RetriedRecord)
    sagas = (SagaInstance, SagaFlow, SagaFlag, SagaCount, SagaFlagCount, SagaDuration)
    seen = (SeenVersion, SeenInterval)
    log = (RecordRow, RecordBlock, Partition, Source)
    for model in (*read_models, *failures, *sagas, *seen, SagaDefinition, *log):
        model.objects.all().delete()
    LogHead.objects.update(position=0)
    for text, valid_from_ms in SAGAS:
        moment = dt.datetime.fromtimestamp(valid_from_ms / 1_000, tz=dt.UTC)
        declare(text, by="test", valid_from=moment)


def replay(data: st.DataObject, drawn: list[Record], catalogue: Catalogue) -> None:
    """Store the records: partitions interleaved, cut anywhere, some batches offered twice."""
    waiting: dict[tuple[str, int], list[Record]] = {}
    for record in drawn:
        waiting.setdefault((record.topic, record.partition), []).append(record)
    rows = {
        place: catalogue.partition(topic=place[0], topic_uuid="u", number=place[1])
        for place in waiting
    }
    Partition.objects.update(next_offset=0)
    done = dict.fromkeys(waiting, 0)
    while any(waiting.values()):
        slices = []
        chosen = data.draw(
            st.lists(
                st.sampled_from(sorted(place for place in waiting if waiting[place])),
                min_size=1,
                unique=True,
            )
        )
        for place in chosen:
            count = data.draw(st.integers(1, len(waiting[place])))
            taken, waiting[place] = waiting[place][:count], waiting[place][count:]
            end = taken[-1].offset + 1
            slices.append(
                Slice(partition_id=rows[place].id, start=done[place], end=end, records=taken)
            )
            done[place] = end
        store(slices, catalogue)
        if data.draw(st.booleans()):
            with pytest.raises(CheckpointMovedError):
                store(slices, catalogue)


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
    events = sorted(
        (place_of(event.record, catalogue), event.event_id, by_id[event.flow_id])
        for event in Event.objects.all()
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


@pytest.mark.parametrize(("large", "most"), [(3, 1), (1_000, 8)])
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(drawn=records(), data=st.data())
def test_any_order_repetition_and_batching_equals_a_rebuild(
    drawn: list[Record], data: st.DataObject, large: int, most: int
) -> None:
    """Flows of both kinds: with all their facts, and with sums only."""
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("tracing.projections.flows.LARGE", large)
        patch.setattr("tracing.projections.saga_facts.MOST_OF_A_TYPE", most)
        clear()
        catalogue = Catalogue()
        replay(data, drawn, catalogue)
        first = picture(catalogue)
        assert len(stored()) == len(drawn)

        clear()
        again = Catalogue()
        replay(data, drawn, again)
        assert picture(again) == first

        rebuild()
        assert picture(again) == first


def test_rebuild_changes_the_generation_and_keeps_each_events_position() -> None:
    catalogue = Catalogue()
    row = catalogue.partition(topic="orders", topic_uuid="u", number=0)
    Partition.objects.update(next_offset=0)
    record = Record(topic="orders", partition=0, offset=0, timestamp_ms=1, value=b"x")
    before = store([Slice(partition_id=row.id, start=0, end=1, records=[record])], catalogue)

    assert rebuild() == 1

    head = LogHead.objects.get()
    assert head.generation == 2
    assert Event.objects.get().position == head.position == before


def test_a_gap_is_recorded_with_the_checkpoint_that_steps_over_it() -> None:
    catalogue = Catalogue()
    row = catalogue.partition(topic="orders", topic_uuid="u", number=0)
    Partition.objects.update(next_offset=5)

    store([Slice(partition_id=row.id, start=5, end=40, records=[], gap=True)], catalogue)

    gap = Gap.objects.get()
    assert (gap.partition_id, gap.start, gap.end) == (row.id, 5, 40)
    assert Partition.objects.get().next_offset == 40
