"""Any history of readers and crashes leaves what a plain reading of the same records says.

Two ingestors read partitions of topics that grow, are made anew and lose their oldest records. They
crash in the middle of a batch, go on from checkpoints that another one has moved, and go back to
offsets that are stored. Schemas come late, rebuilds come between, with readers beside them. After
each step the tables are compared with a model of a few lines.
"""

from __future__ import annotations

import contextlib
from collections import Counter

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from pytest_django import Settings

from tests.integration import framed as avro
from tests.integration.histories.readers import COUNTS, CrashError, Readers
from tests.integration.histories.world import BESIDE, WAITING, Writing, schema_of, writings
from tests.integration.log import stored
from tests.integration.picture import picture
from tracing.codec import decode
from tracing.domain.derive import derive, derive_large, sums_of
from tracing.domain.event import Event as Said
from tracing.domain.facts import Fact
from tracing.domain.text import digest16, hash64
from tracing.models import AwaitingRecord, Flow, FlowCount, LogHead, Partition
from tracing.models.source import record_id
from tracing.projections import late, packing
from tracing.projections.events import behind
from tracing.projections.rebuild import rebuild
from tracing.projections.record_log import by_id
from tracing.projections.settings import current_rules

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
# A failure is made smaller for so long; Hypothesis would take five minutes.
SHRINKING_S = 8


class Histories(Readers):
    """What the worker does beside the readers, and what must hold behind every step."""

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
        self.waits -= {one for one in some if schema_of(records[one]) in self.known}

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
                by_flow.setdefault(event.correlation_id, []).append(_fact_of(event, one))
                events[one, event.event_id] += 1
        assert Counter((row.record, row.event_id) for row in behind(0, 100_000)) == events
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
        rows = behind(0, 100_000)
        places = {(row.record, row.part): (row.position, row.event_id) for row in rows}
        for place, (position, name) in places.items():
            before = self.places.get(place)
            if before is None or position != before[0]:
                assert self.head.position < position <= head.position
                assert before is None or name != before[1]
        self.head, self.places = head, places


def _edge(fact: Fact) -> tuple[int, int, bytes, bytes | None]:
    """Return an event and its cause, as a flow keeps them."""
    return (fact.record, fact.part, fact.event, fact.cause)


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


def _fact_of(event: Said, record: int) -> Fact:
    """Return what the event's flow remembers of it, in the domain's own words."""
    return Fact(
        topic=event.topic,
        partition=event.partition,
        offset=event.offset,
        part=event.part,
        event=digest16(event.event_id),
        cause=None if event.causation_id is None else digest16(event.causation_id),
        type=event.type,
        service=event.service,
        time_us=event.time_us,
        timestamp_ms=event.timestamp_ms,
        key=None if event.key is None else hash64(event.key),
        record=record,
        tier=0 if event.attempt is None else int(event.attempt.tier),
    )
