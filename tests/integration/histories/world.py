"""What happens before anybody reads: producers write, topics are made anew, schemas come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.integration import framed as avro
from tests.integration.picture import clear
from tracing.domain.record import Record
from tracing.models import AwaitingRecord, Gap, LogHead, Partition, RebuildRun, Schema
from tracing.models.source import record_id
from tracing.projections.catalogue import Catalogue
from tracing.projections.settings import forget_rules

TYPES = ["OrderPlaced", "PaymentFailed", "StockReleased", "OrderCompleted"]
IDS = [f"e{number}" for number in range(6)]
# Some correlation ids are the coordinates where records live that nobody could read.
FLOWS = ["a", "b", None, "orders[0]@0", "orders[1]@1"]
TOPICS = ("orders", "stock")
PARTITIONS = (0, 1)
READERS = (0, 1)


class Writing(msgspec.Struct):
    """What a producer writes, and where."""

    place: tuple[str, int]
    value: bytes
    key: bytes | None
    at: int
    skipped: int

    def __repr__(self) -> str:
        """Say it on one line of a failing history."""
        place = f"{self.place[0]}[{self.place[1]}] +{self.skipped}"
        return f"{place} {self.at} {self.key!r} {self.value!r}"


def body(event_id: str, flow: str | None, cause: str | None, event_type: str) -> dict[str, Any]:
    """Return an envelope's fields."""
    return {
        "eventId": event_id,
        "eventType": event_type,
        "correlationId": flow,
        "causationId": cause,
        "payload": {"orderId": "k1"},
    }


_WAITS, _BESIDE = body("e0", "a", None, TYPES[0]), body("e1", "orders[0]@0", "e0", TYPES[1])
WAITING = Writing(("orders", 0), avro.framed(1, _WAITS), None, 0, 0)
BESIDE = Writing(("orders", 1), json.dumps(_BESIDE).encode(), None, 0, 0)


@st.composite
def writings(draw: st.DrawFn) -> Writing:
    """Draw a record: copies, causes anywhere, flows of several, formats that wait, bad bodies."""
    said = body(
        event_id=draw(st.sampled_from(IDS)),
        flow=draw(st.sampled_from(FLOWS)),
        cause=draw(st.sampled_from([*IDS, None])),
        event_type=draw(st.sampled_from(TYPES)),
    )
    kind = draw(st.sampled_from(["json", "json", "json", "avro 1", "avro 2", "broken"]))
    value = b"{broken"
    if kind == "json":
        value = json.dumps(said).encode()
    elif kind.startswith("avro"):
        value = avro.framed(int(kind[-1]), said)
    return Writing(
        place=(draw(st.sampled_from(TOPICS)), draw(st.sampled_from(PARTITIONS))),
        value=value,
        key=draw(st.sampled_from([b"k1", b"k2", None])),
        at=draw(st.integers(0, 2)),
        skipped=draw(st.sampled_from([0, 0, 1])),
    )


class Tape(msgspec.Struct):
    """A partition as the broker has it, and how much of it the database should have."""

    partition_id: int
    records: list[Record] = []
    # The first offset that retention has left.
    begin: int = 0
    stored: int = 0
    # Where retention was ahead of the reader: offsets that nobody will see.
    lost: set[int] = set()


def schema_of(record: Record) -> int:
    """Return the number of the schema that a record names, 0 without one."""
    value = record.value or b""
    return int.from_bytes(value[1:5]) if value[:1] == b"\x00" else 0


class World(RuleBasedStateMachine):
    """The broker as producers, retention and the registry leave it, and how far two readers are."""

    def __init__(self) -> None:
        """Begin with an empty database and topics without a record."""
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("tracing.projections.known_schemas.REST_S", 0.0)
        for model in (AwaitingRecord, Schema, Gap, RebuildRun):
            model.objects.all().delete()
        clear()
        forget_rules()
        self.catalogue = Catalogue()
        self.made_anew = 0
        self.known: set[int] = set()
        self.waits: set[int] = set()
        self.head = LogHead.objects.get()
        # Where each part of a record stands, and which event it is.
        self.places: dict[tuple[int, int], tuple[int, str]] = {}
        self.tapes: dict[tuple[str, int], Tape] = {}
        # Those of topics that were deleted: what was read of them stays.
        self.deleted: list[Tape] = []
        self.positions: dict[int, dict[int, int]] = {reader: {} for reader in READERS}
        for topic in TOPICS:
            self._make(topic)

    def _make(self, topic: str) -> None:
        for number in PARTITIONS:
            row = self.catalogue.partition(
                topic=topic, topic_uuid=f"u{self.made_anew}", number=number
            )
            Partition.objects.filter(id=row.id).update(next_offset=0)
            self.tapes[topic, number] = Tape(row.id)

    @rule(drawn=st.lists(writings(), min_size=2, max_size=8))
    def write(self, drawn: list[Writing]) -> None:
        """Let producers go on."""
        self.produce(drawn)

    def produce(self, drawn: list[Writing]) -> None:
        """Write records; the offset before one may be a transaction's marker."""
        for one in drawn:
            tape = self.tapes[one.place]
            last = tape.records[-1].offset if tape.records else tape.begin - 1
            tape.records.append(
                Record(
                    topic=one.place[0],
                    partition=one.place[1],
                    offset=last + 1 + one.skipped,
                    timestamp_ms=1_700_000_000_000 + one.at,
                    key=one.key,
                    value=one.value,
                    value_length=len(one.value),
                )
            )

    @rule(place=st.tuples(st.sampled_from(TOPICS), st.sampled_from(PARTITIONS)))
    def forget_the_oldest(self, place: tuple[str, int]) -> None:
        """Let retention take a record, read or not."""
        tape = self.tapes[place]
        left = [record for record in tape.records if record.offset >= tape.begin]
        if left:
            tape.begin = left[0].offset + 1
            if left[0].offset >= tape.stored:
                tape.lost.add(left[0].offset)

    @precondition(lambda self: self.made_anew < 2)
    @rule(topic=st.sampled_from(TOPICS))
    def make_anew(self, topic: str) -> None:
        """Delete a topic and make it again: offsets begin at 0 and mean something else."""
        self.made_anew += 1
        self.deleted += [self.tapes.pop((topic, number)) for number in PARTITIONS]
        self._make(topic)

    @precondition(lambda self: len(self.known) < 2)
    @rule()
    def learn_a_schema(self) -> None:
        """Let the registry answer."""
        number = len(self.known) + 1
        avro.learn(number)
        self.known.add(number)

    def _all(self) -> list[Tape]:
        return [*self.tapes.values(), *self.deleted]

    def _stored(self) -> Iterator[tuple[int, Record]]:
        for tape in self._all():
            for record in tape.records:
                if record.offset < tape.stored and record.offset not in tape.lost:
                    yield record_id(tape.partition_id, record.offset), record
