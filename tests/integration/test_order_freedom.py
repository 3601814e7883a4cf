"""Law 3: whatever the order, the repetition and the cut into batches, the rows equal a rebuild."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.log import stored
from tests.integration.picture import clear, picture
from tracing.domain.errors import CheckpointMovedError
from tracing.domain.record import Header, Record
from tracing.models import Event, Gap, LogHead, Partition
from tracing.projections import event_index
from tracing.projections.catalogue import Catalogue
from tracing.projections.rebuild import rebuild
from tracing.projections.store import Slice, store

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
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


@pytest.fixture(autouse=True)
def _joined_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rows of the index by event ids be joined after few events."""
    monkeypatch.setattr(event_index, "JOINED_AT", 5)


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
