"""Events are what they are and where they are, whether rows or said by the records of a block."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.integration.picture import clear, picture
from tests.integration.test_ordinary import ENVELOPE, values
from tracing.domain.record import Record
from tracing.domain.text import digest16
from tracing.models import Event, EventBlock, Partition
from tracing.projections import event_rows, events, record_rows
from tracing.projections.catalogue import Catalogue
from tracing.projections.event_rows import Row
from tracing.projections.names import names
from tracing.projections.prune import Pruner
from tracing.projections.rebuild import rebuild
from tracing.projections.store import Slice, store

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

AT_MS = 1_767_225_600_000
HOUR_MS = 3_600_000
PAGE = 7
EXAMPLES = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def envelope(number: int, flow: object, **more: Any) -> bytes:
    """Return an ordinary envelope. Each event names the one before as its cause."""
    body = {
        "eventId": f"e-{number}",
        "correlationId": f"c-{flow}",
        "causationId": f"e-{number - 1}",
    }
    return json.dumps(ENVELOPE | {"eventType": "OrderNoted"} | body | more).encode()


def put(bodies: Sequence[bytes | None], *, ages_h: Sequence[int] = ()) -> None:
    """Store these values at the next offsets of the one partition, as one batch."""
    catalogue = Catalogue()
    row = catalogue.partition(topic="orders", topic_uuid="", number=0)
    start = Partition.objects.get(id=row.id).next_offset
    if start is None:
        Partition.objects.filter(id=row.id).update(next_offset=0)
        start = 0
    records = [
        Record(
            topic="orders",
            partition=0,
            offset=offset,
            timestamp_ms=AT_MS + offset - (ages_h[offset - start] * HOUR_MS if ages_h else 0),
            key=b"o-1",
            value=value,
            value_length=len(value or b""),
        )
        for offset, value in enumerate(bodies, start)
    ]
    end = start + len(records)
    store([Slice(partition_id=row.id, start=start, end=end, records=records)], catalogue)


def asked() -> dict[str, Any]:
    """Return what every way of asking for events answers."""
    every = events.behind(0, 10_000)
    last = every[-1].position if every else 0
    records = sorted({row.record for row in every})
    flows = sorted({row.flow_id for row in every})
    some = [row.position for row in every[::3]]
    found: dict[str, Any] = {
        "every": every,
        "newest first": events.before(last + 1, 10_000),
        "at": events.at(some),
        "of records": events.of_records(records[1::2]),
        "with ids": events.with_ids([row.event_id for row in every[::5]]),
        "of flows": events.of_flows(flows),
        "of two flows, cut": events.of_flows(flows[:2], after=2, until=last - 2, limit=7),
        "of two flows, newest": events.of_flows(flows[:2], limit=5, newest=True),
        "pages": pages(lambda last: events.behind(last, PAGE), 0),
        "pages back": pages(lambda last: events.before(last, PAGE), last + 1),
    }
    if records:
        borders = (records[0], records[-1])
        found["between records"] = events.between_records(records[0] + 3, records[-1] - 3, 9)
        found["positions"] = sorted(events.positions_between(*borders).items())
    return {question: [named(one) for one in answer] for question, answer in found.items()}


def named(answer: Any) -> Any:
    """Return an answer's row with the names in the place of their number."""
    if type(answer) is not Row:
        return answer
    return structs.replace(answer, node_id=0), names().pair(answer.node_id)


def pages(read: Callable[[int], list[Row]], position: int) -> list[Row]:
    """Return what pages of a listing hold, one behind the other: a short one is the last."""
    found: list[Row] = []
    while len(page := read(position)) == PAGE:
        found += page
        position = page[-1].position
    return [*found, *page]


def as_rows(monkeypatch: pytest.MonkeyPatch, tell: Callable[[], None]) -> dict[str, Any]:
    """Return what is answered when the same is stored without blocks; nothing stays."""
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(record_rows, "FEWEST", record_rows.BLOCK + 1)
        tell()
        assert not EventBlock.objects.exists()
        found = asked()
        transaction.set_rollback(True)
    # Postgres does not give a node's number twice, whatever was rolled back.
    names.cache_clear()
    return found


def test_blocks_answer_as_rows_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def tell() -> None:
        put([envelope(number, number % 5, payload={"reason": "late"}) for number in range(40)])
        put([envelope(number, number % 7) for number in range(40, 45)])
        put([envelope(number, number % 7, source=None) for number in range(45, 140)])

    Catalogue().partition(topic="orders", topic_uuid="", number=0)
    expected = as_rows(monkeypatch, tell)
    tell()

    assert EventBlock.objects.count() == 3
    assert Event.objects.count() == 140 - 3 * record_rows.BLOCK
    answered = asked()
    for question, rows in expected.items():
        assert answered[question] == rows, question
    assert len(expected["every"]) == len(expected["pages"]) == len(expected["pages back"]) == 140


@EXAMPLES
@given(
    drawn=st.lists(values(), min_size=1, max_size=3),
    plain=st.lists(st.integers(0, 9), min_size=8, max_size=80),
)
def test_whatever_comes(
    drawn: list[bytes | None], plain: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some strange values among ordinary ones: some of the blocks have one, some have none."""
    bodies: list[bytes | None] = [envelope(at, flow) for at, flow in enumerate(plain)]
    bodies[5:5] = drawn

    with transaction.atomic():
        Catalogue().partition(topic="orders", topic_uuid="", number=0)
        expected = as_rows(monkeypatch, lambda: put(bodies))
        put(bodies)
        assert asked() == expected
        transaction.set_rollback(True)
    names.cache_clear()


@EXAMPLES
@given(value=values())
def test_a_record_says_what_was_read_of_it(
    value: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block of one value: it is a block only if the value is ordinary."""
    with transaction.atomic():
        Catalogue().partition(topic="orders", topic_uuid="", number=0)
        expected = as_rows(monkeypatch, lambda: put([value] * record_rows.BLOCK))
        put([value] * record_rows.BLOCK)
        assert asked() == expected
        transaction.set_rollback(True)
    names.cache_clear()


def test_a_flow_that_grows_large_finds_all_its_events(monkeypatch: pytest.MonkeyPatch) -> None:
    def tell() -> None:
        # Small, then across the border within a batch, then large; and one that begins large.
        put([envelope(number, number % 3) for number in range(32)])
        put([envelope(number, number % 3) for number in range(32, 96)])
        put([envelope(number, number % 3) for number in range(96, 160)])
        put([envelope(number, "at once") for number in range(160, 224)])

    monkeypatch.setattr("tracing.projections.flows.LARGE", 25)
    Catalogue().partition(topic="orders", topic_uuid="", number=0)
    expected = as_rows(monkeypatch, tell)
    tell()

    assert EventBlock.objects.count() == 7
    assert asked() == expected
    assert len(events.of_flows([expected["every"][-1][0].flow_id])) == 64


@pytest.mark.parametrize("newest", [False, True])
def test_a_batch_that_comes_while_one_reads_is_seen_whole_or_not_at_all(
    newest: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are behind its blocks: who read these before it came must not see those."""
    put([envelope(number, number % 3) for number in range(40)])
    flows = {row.flow_id for row in events.behind(0, 100)}
    find = event_rows.find

    def as_it_comes(condition: str, parameters: Any) -> list[Row]:
        if not coming:
            return find(condition, parameters)
        monkeypatch.setattr(event_rows, "find", find)
        coming.clear()
        put([envelope(number, number % 3) for number in range(40, 140)])
        return find(condition, parameters)

    coming = [True]
    monkeypatch.setattr(event_rows, "find", as_it_comes)
    listed = events.before(1_000, 500)[::-1] if newest else events.behind(0, 500)
    coming.append(True)
    monkeypatch.setattr(event_rows, "find", as_it_comes)
    of_flows = events.of_flows(flows, newest=newest)

    assert [row.position for row in listed] == list(range(1, 41))
    assert sorted(row.position for row in of_flows) == list(range(1, 141))


def test_facts_choose_before_records_are_read() -> None:
    put([envelope(number, 1) for number in range(40)])
    flows = {row.flow_id for row in events.behind(0, 1)}

    found = events.of_flows(
        flows,
        "e.causation_id = %s",
        ["e-6"],
        fits=lambda fact: fact.cause == digest16("e-6"),
    )

    assert [row.event_id for row in found] == ["e-7"]


def test_what_is_pruned_is_gone() -> None:
    """Of the first block nothing stays, of the second one something, of the third everything."""
    clear()
    old = [f"c-old-{number}" for number in range(3)]
    put([envelope(number, f"old-{number % 3}") for number in range(32)], ages_h=[9] * 32)
    put(
        [
            envelope(32 + number, f"{('old', 'new')[number % 2]}-{number % 3}")
            for number in range(32)
        ]
        + [envelope(64 + number, f"new-{number % 3}") for number in range(32)],
        ages_h=[9 - 8 * (number % 2) for number in range(32)] + [1] * 32,
    )
    every = events.behind(0, 200)
    assert EventBlock.objects.count() == 3
    pruner = Pruner(AT_MS - 5 * HOUR_MS, now_ms=AT_MS)

    while pruner.step().more:
        pass

    stay = [row for row in every if row.flow__correlation_id not in old]
    assert len(stay) == 48
    assert EventBlock.objects.count() == 2
    answered = asked()
    listed = [named(row) for row in stay]
    assert answered["every"] == answered["pages"] == answered["pages back"][::-1] == listed
    assert events.between_records(every[0].record, every[-1].record, PAGE) == stay[:PAGE]
    assert events.at([row.position for row in every]) == stay
    assert events.of_flows({row.flow_id for row in every}) == stay
    assert events.with_ids([row.event_id for row in every]) == stay
    assert events.of_records([row.record for row in every]) == stay
    pictured = picture(Catalogue())
    rebuild()
    assert picture(Catalogue()) == pictured


def test_a_rebuild_makes_the_same() -> None:
    clear()
    put([envelope(number, number % 5) for number in range(70)])
    before = events.behind(0, 100)
    pictured = picture(Catalogue())

    rebuild()

    assert events.behind(0, 100) == before
    assert picture(Catalogue()) == pictured
