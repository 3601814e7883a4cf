"""Any history of readers and crashes leaves what a plain reading of the same records says.

Two ingestors read partitions of topics that grow, are made anew and lose their oldest records. They
crash in the middle of a batch, go on from checkpoints that another one has moved, and go back to
offsets that are stored. Schemas come late, rebuilds come between, with readers beside them. After
each step the tables are compared with a model of a few lines.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pytest_django import Settings

from tests.integration import test_late_decode as avro
from tests.integration.log import stored
from tests.integration.test_order_freedom import clear, picture
from tracing.codec import decode
from tracing.domain.derive import derive, derive_large, sums_of
from tracing.domain.errors import CheckpointMovedError
from tracing.domain.facts import Fact, fact_of
from tracing.domain.record import Record
from tracing.models import (
    AwaitingRecord,
    Event,
    Flow,
    FlowCount,
    Gap,
    LogHead,
    Partition,
    RebuildRun,
    Schema,
)
from tracing.models.source import record_id
from tracing.projections import flows, late, packing
from tracing.projections import store as storing
from tracing.projections.catalogue import Catalogue
from tracing.projections.rebuild import rebuild
from tracing.projections.record_log import by_id
from tracing.projections.settings import current_rules, forget_rules
from tracing.projections.store import Slice, store

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TYPES = ["OrderPlaced", "PaymentFailed", "StockReleased", "OrderCompleted"]
IDS = [f"e{number}" for number in range(6)]
# Some correlation ids are the coordinates where records live that nobody could read.
FLOWS = ["a", "b", None, "orders[0]@0", "orders[1]@1"]
TOPICS = ("orders", "stock")
PARTITIONS = (0, 1)
READERS = (0, 1)
# A failure is made smaller for so long; Hypothesis would take five minutes.
SHRINKING_S = 8
# How many records of each partition a poll brings.
COUNTS = st.lists(st.sampled_from([1, 2, 5, 0]), min_size=4, max_size=4)


class CrashError(Exception):
    """The ingestor is gone."""


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


class Histories(RuleBasedStateMachine):
    """The broker, two readers and the model of what is stored."""

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

    @initialize(
        large=st.sampled_from([3, 1_000]),
        chunk=st.sampled_from([1, 3]),
        drawn=st.lists(writings(), min_size=4, max_size=24),
    )
    def choose(self, large: int, chunk: int, drawn: list[Writing]) -> None:
        """Let flows be large early or never, and rebuilds go in small steps.

        One record waits for its schema in a flow that another one, with a cause, joins.
        """
        self.produce([WAITING, BESIDE])
        self.produce(drawn)
        self.large = large
        self.patch.setattr("tracing.projections.flows.LARGE", large)
        self.patch.setattr("tracing.projections.rebuild.CHUNK", chunk)

    def teardown(self) -> None:
        """Read to the end, decode what waits, and compare with a quiet rebuild."""
        self.positions[0] = {}
        for _ in range(2):
            self.read(0, [1_000] * len(self.tapes))
        while len(self.known) < 2:
            self.learn_a_schema()
        self._decode_late(sorted(self.waits))
        self.the_log_holds_what_was_read_once()
        self.the_read_models_say_what_the_records_say()
        found = picture(self.catalogue)
        rebuild()
        assert picture(self.catalogue) == found
        self.patch.undo()

    # What the world does

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

    # What ingestors do

    @rule(reader=st.sampled_from(READERS), counts=COUNTS)
    def read(self, reader: int, counts: list[int]) -> None:
        """Poll some partitions from where this reader believes to be, and store the batch."""
        batch = self._batch(reader, counts)
        if not batch:
            return
        slices = [part for _, part in batch]
        if any(part.start != tape.stored for tape, part in batch):
            with pytest.raises(CheckpointMovedError):
                store(slices, self.catalogue)
            self.positions[reader] = {}
            return
        store(slices, self.catalogue)
        for tape, part in batch:
            tape.stored = self.positions[reader][part.partition_id] = part.end
            self.waits.update(
                record_id(tape.partition_id, record.offset)
                for record in part.records
                if (schema := _schema(record)) and schema not in self.known
            )

    @rule(
        reader=st.sampled_from(READERS),
        counts=COUNTS,
        where=st.sampled_from(["before", "within", "behind"]),
    )
    def crash(self, reader: int, counts: list[int], where: str) -> None:
        """Let a reader die before, within or behind the writing of its batch's read models."""
        batch = self._batch(reader, counts)
        real = storing.project

        def dying(prepared: Any, positions: Any, catalogue: Catalogue) -> None:
            if where == "within":
                flows.project(prepared, positions, catalogue)
            elif where == "behind":
                real(prepared, positions, catalogue)
            raise CrashError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(storing, "project", dying)
            with pytest.raises((CrashError, CheckpointMovedError)):
                store([part for _, part in batch], self.catalogue)
        self.positions[reader] = {}

    def _batch(self, reader: int, counts: list[int]) -> list[tuple[Tape, Slice]]:
        polled = [
            (tape, self._poll(tape, self._position(reader, tape), count))
            for (_, tape), count in zip(sorted(self.tapes.items()), counts, strict=True)
            if count
        ]
        return [(tape, part) for tape, part in polled if part is not None]

    def _position(self, reader: int, tape: Tape) -> int:
        """Return where a reader goes on: a new one asks for the checkpoint, an old one knows."""
        known = self.positions[reader]
        return known.setdefault(tape.partition_id, tape.stored)

    def _poll(self, tape: Tape, start: int, count: int) -> Slice | None:
        """Return the next records behind a position, as the consumer hands them over."""
        if start < tape.begin:
            return Slice(
                partition_id=tape.partition_id, start=start, end=tape.begin, records=[], gap=True
            )
        records = [record for record in tape.records if record.offset >= start][:count]
        if not records:
            return None
        end = records[-1].offset + 1
        return Slice(partition_id=tape.partition_id, start=start, end=end, records=records)

    @rule(reader=st.sampled_from(READERS))
    def rebalance(self, reader: int) -> None:
        """Give this reader the other one's positions, however old they are."""
        self.positions[reader] = dict(self.positions[1 - reader])

    @rule(
        reader=st.sampled_from(READERS),
        place=st.tuples(st.sampled_from(TOPICS), st.sampled_from(PARTITIONS)),
        back=st.integers(1, 3),
    )
    def seek_back(self, reader: int, place: tuple[str, int], back: int) -> None:
        """Let the client stand before what is stored, as after a lost commit, and read on."""
        tape = self.tapes[place]
        self.positions[reader][tape.partition_id] = max(0, tape.stored - back)
        self.read(reader, [5 if one == place else 0 for one in sorted(self.tapes)])

    # What the worker does

    @precondition(lambda self: self.waits)
    @rule(data=st.data())
    def decode_late(self, data: st.DataObject) -> None:
        """Decode some of those that wait; those whose schema is not known are left alone."""
        some = data.draw(st.lists(st.sampled_from(sorted(self.waits)), unique=True, min_size=1))
        self._decode_late(some)

    def _decode_late(self, some: list[int]) -> None:
        late.decode_late(some, self.catalogue)
        records = {
            record_id(tape.partition_id, record.offset): record
            for tape in self._all()
            for record in tape.records
        }
        self.waits -= {one for one in some if _schema(records[one]) in self.known}

    @rule(meanwhile=st.sampled_from(["nothing", "a reader", "a crash"]), counts=COUNTS)
    def rebuild_all(self, meanwhile: str, counts: list[int]) -> None:
        """Rebuild beside a reader; perhaps die in the middle, which changes nothing."""

        def between(_done: int, _total: int) -> None:
            if meanwhile == "a crash":
                raise CrashError
            if meanwhile == "a reader":
                self.read(0, counts)

        with contextlib.suppress(CrashError):
            rebuild(between)
            self.waits = {one for one in self.waits if not self._is_known(one)}
            self.head.generation += 1

    def _is_known(self, record: int) -> bool:
        found = by_id([record])[record]
        return int.from_bytes((found.value or b"")[1:5]) in self.known

    # What must hold

    def _all(self) -> list[Tape]:
        return [*self.tapes.values(), *self.deleted]

    def _stored(self) -> Iterator[tuple[int, Record]]:
        for tape in self._all():
            for record in tape.records:
                if record.offset < tape.stored and record.offset not in tape.lost:
                    yield record_id(tape.partition_id, record.offset), record

    @invariant()
    def the_log_holds_what_was_read_once(self) -> None:
        """Compare the log: records byte for byte, and checkpoints."""
        held = {row.id: (row.key, row.value) for row in stored()}
        assert held == {one: (record.key, record.value) for one, record in self._stored()}
        marks = dict(Partition.objects.values_list("id", "next_offset"))
        assert marks == {tape.partition_id: tape.stored for tape in self._all()}

    @invariant()
    def the_read_models_say_what_the_records_say(self) -> None:
        """Compare flows and counts with those of a plain reading."""
        rules = current_rules()
        blind = msgspec.structs.replace(rules, schema_of=lambda _ref: None)
        by_flow: dict[str, list[Fact]] = {}
        events = Counter[tuple[int, str]]()
        for one, record in self._stored():
            for event in decode(record, blind if one in self.waits else rules).events:
                by_flow.setdefault(event.correlation_id, []).append(fact_of(event, one))
                events[one, event.event_id] += 1
        assert Counter(Event.objects.values_list("record", "event_id")) == events
        states = Counter[int]()
        rows = {flow.correlation_id: flow for flow in Flow.objects.all()}
        assert rows.keys() == by_flow.keys()
        for name, facts in by_flow.items():
            if len(facts) <= self.large:
                row = derive(facts)
            else:
                row = derive_large(sums_of(facts, records=len(facts)))
            states[int(row.state)] += 1
            flow = rows[name]
            assert (flow.state, flow.marks, flow.events, flow.records, flow.root) == (
                int(row.state),
                row.marks,
                row.events,
                row.records,
                row.root[-1],
            )
            if len(facts) <= self.large:
                held = packing.unpack(packing.load(flow.facts).facts, self.catalogue)
                assert Counter(map(_edge, held)) == Counter(map(_edge, facts))
        assert {row.state: row.flows for row in FlowCount.objects.filter(flows__gt=0)} == states
        assert set(AwaitingRecord.objects.values_list("record", flat=True)) == self.waits

    @invariant()
    def whoever_follows_the_log_misses_nothing(self) -> None:
        """Events keep their positions, new ones stand behind the last head, rebuilds are told."""
        head = LogHead.objects.get()
        assert head.generation == self.head.generation
        rows = Event.objects.values_list("record", "part", "position", "event_id")
        places = {(record, part): (position, name) for record, part, position, name in rows}
        for place, (position, name) in places.items():
            before = self.places.get(place)
            if before is None or position != before[0]:
                assert self.head.position < position <= head.position
                assert before is None or name != before[1]
        self.head, self.places = head, places


def _edge(fact: Fact) -> tuple[int, int, bytes, bytes | None]:
    """Return an event and its cause, as a flow keeps them."""
    return (fact.record, fact.part, fact.event, fact.cause)


def _schema(record: Record) -> int:
    """Return the number of the schema that a record names, 0 without one."""
    value = record.value or b""
    return int.from_bytes(value[1:5]) if value[:1] == b"\x00" else 0


@pytest.fixture
def registry(settings: Settings) -> None:
    settings.EVENTVIZ_SCHEMA_REGISTRY_URL = avro.REGISTRY


@pytest.fixture(autouse=True)
def short_shrinking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypothesis.internal.conjecture.engine.MAX_SHRINKING_SECONDS", SHRINKING_S)


def run(*, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.usefixtures("registry")
def test_any_history_leaves_what_a_plain_reading_says() -> None:
    run(examples=10, steps=16)


@pytest.mark.long
@pytest.mark.usefixtures("registry")
def test_any_long_history_leaves_what_a_plain_reading_says() -> None:
    run(examples=400, steps=60)
