"""Events as they are stored: rows, and blocks of them that their records say.

Where a batch stores neighbouring records as a block and all of them are ordinary, their events
have no rows: `EventBlock` tells their positions, and what each event is, its record says. Events
of a flow too large to keep its facts have a row as well (`add_rows`): by that it finds them.
Nobody but this module, with `event_rows` and `event_blocks`, knows where an event is: it is asked
by position, record, flow or id.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import astuple

from tracing.domain.text import digest16
from tracing.projections import bulk, event_blocks, event_rows, packing
from tracing.projections.event_index import positions_of
from tracing.projections.event_rows import ROWS, Row
from tracing.projections.plain_sql import among, chunks, select
from tracing.projections.record_rows import BLOCK, BLOCK_BITS, FEWEST

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tracing.projections.packing import Packed

# Each time somebody has removed some of what was to be read.
_TRIES = 5
_position = attrgetter("position")
_record_and_part = attrgetter("record", "part")

# Blocks are asked for first: a rebuild may make rows of them meanwhile, never the other way round.


def at(positions: Collection[int]) -> list[Row]:
    """Return the events at these positions, in order."""
    places = event_blocks.at(positions)
    found = event_rows.said(places)
    for chunk in chunks(set(positions).difference(places.values())):
        found += event_rows.find(among("e.position", chunk), chunk)
    return sorted(found, key=_position)


def of_records(records: Collection[int]) -> list[Row]:
    """Return the events of these records, in the order of records and parts."""
    places = event_blocks.of_records(records)
    found = event_rows.said(places)
    for chunk in chunks(set(records) - places.keys()):
        found += event_rows.find(among("e.record", chunk), chunk)
    return sorted(found, key=_record_and_part)


def between_records(first: int, last: int, limit: int) -> list[Row]:
    """Return at most `limit` events of the records from `first` to `last`, in their order."""
    return _listed(
        _Order("block BETWEEN %s AND %s", (first >> BLOCK_BITS, last >> BLOCK_BITS), "block"),
        _Order("e.record BETWEEN %s AND %s", (first, last), "e.record, e.part"),
        lambda record, _: first <= record <= last,
        limit,
        key=_record_and_part,
    )


def behind(position: int, limit: int) -> list[Row]:
    """Return at most `limit` events behind a position, in order."""
    return _listed(
        # Those that reach over the position begin before it.
        _Order("position > %s", (position - BLOCK,), "position"),
        _Order("e.position > %s", (position,), "e.position"),
        lambda _, place: place > position,
        limit,
        key=_position,
    )


def before(position: int, limit: int) -> list[Row]:
    """Return at most `limit` events before a position, the newest first."""
    return _listed(
        _Order("position < %s", (position,), "position DESC"),
        _Order("e.position < %s", (position,), "e.position DESC"),
        lambda _, place: place < position,
        limit,
        key=_position,
        newest=True,
    )


def with_ids(event_ids: Collection[str], most: int | None = None) -> list[Row]:
    """Return the events with these ids, by position; of all that may have them, the first `most`.

    Two look-ups by index. An id that a producer repeats without end is not followed to its end.
    """
    wanted = set(event_ids)
    positions = sorted(positions_of({digest16(event_id) for event_id in wanted}))
    return [row for row in at(positions[:most]) if row.event_id in wanted]


def of_flows(
    flows: Collection[int],
    condition: str = "1 = 1",
    parameters: Collection[Any] = (),
    *,
    fits: Callable[[Packed], bool] | None = None,
    after: int = 0,
    until: int | None = None,
    limit: int | None = None,
    newest: bool = False,
) -> list[Row]:
    """Return the events of flows by position, at most `limit`; a few queries by key.

    The condition, of `e`, and `fits`, of what a flow remembers of the event, say the same of rows
    and of blocks: `fits` may let more through (it knows hashes), so look at the rest of it again.
    Of flows too large to keep facts of all, all events are rows.
    """
    for _ in range(_TRIES):
        last = _head() if until is None else min(until, _head())
        known = event_rows.find_flows(among("id", flows), flows, facts=True)
        held = [packing.load(flow.facts) for flow in known]
        facts = [fact for one in held for fact in one.facts]
        places = event_blocks.of_records({fact.record for fact in facts})
        found: list[Row] = []
        if len(places) < len(facts) or any(one.sums is not None for one in held):
            order = "DESC" if newest else "ASC"
            cut = "" if limit is None else f"LIMIT {limit}"
            found = event_rows.find(
                f"{among('e.flow_id', flows)} AND {condition}"
                f" AND e.position > %s AND e.position <= %s ORDER BY e.position {order} {cut}",
                (*flows, *parameters, after, last),
            )
        there = {row.position for row in found}
        wanted = {fact.record for fact in facts if fits is None or fits(fact)}
        chosen = sorted(
            (position, record)
            for record, position in places.items()
            if after < position <= last and record in wanted and position not in there
        )
        if newest:
            chosen.reverse()
        some = {record: position for position, record in chosen[:limit]}
        found += event_rows.said(some, known)
        if len(found) == len(there) + len(some):
            break
        # Some were removed meanwhile, and others come in their places.
    return sorted(found, key=_position, reverse=newest)[:limit]


def positions_between(first: int, last: int) -> dict[tuple[int, int], int]:
    """Return the positions of the events of these records by (record, part). Two range queries."""
    condition = "record BETWEEN %s AND %s"
    rows = select(("record", "part", "position"), "tracing_event", condition, (first, last))
    places = event_blocks.between_records(first, last)
    return {(record, 0): position for record, position in places.items()} | {
        (record, part): position for record, part, position in rows
    }


def add_rows(records: Collection[int]) -> None:
    """Give rows to those of these records' events that have none. A few statements a chunk."""
    for chunk in chunks(records):
        places = event_blocks.of_records(chunk)
        for (record,) in select(("record",), "tracing_event", among("record", places), places):
            del places[record]
        rows = [astuple(row)[: len(ROWS.columns)] for row in event_rows.said(places)]
        bulk.insert(ROWS, sorted(rows))


class _Order(NamedTuple):
    """A condition with its parameters, and an order."""

    condition: str
    parameters: tuple[int, ...]
    order: str

    def until(self, position: str, head: int, limit: int) -> tuple[str, tuple[int, ...]]:
        """Return the whole condition of what was there at a moment, with its parameters."""
        where = f"{self.condition} AND {position} <= %s"
        return f"{where} ORDER BY {self.order} LIMIT {limit}", (*self.parameters, head)


def _head() -> int:
    """Return up to which position all is there.

    A batch may come between two statements; what it brings is left out by all of them.
    """
    ((position,),) = select(("position",), "tracing_loghead", "id = 1", ())
    return int(position)


def _listed(
    blocks: _Order,
    rows: _Order,
    wanted: Callable[[int, int], bool],
    limit: int,
    *,
    key: Callable[[Any], Any],
    newest: bool = False,
) -> list[Row]:
    """Return the first events of blocks and rows in their order. Fewer than `limit` are all."""
    for _ in range(_TRIES):
        head = _head()
        places = _first_places(blocks, head, wanted, limit)
        rest = event_rows.find(*rows.until("e.position", head, limit))
        found = {row.position: row for row in rest}
        every: list[Row | _Place] = [
            *found.values(),
            *(
                _Place(position, record)
                for record, position in places.items()
                if position not in found
            ),
        ]
        chosen = sorted(every, key=key, reverse=newest)[:limit]
        some = {one.record: one.position for one in chosen if type(one) is _Place}
        said = {row.position: row for row in event_rows.said(some)}
        listed = [found.get(one.position) or said.get(one.position) for one in chosen]
        if None not in listed:
            break
        # Some were removed meanwhile, and others come in their places.
    return [row for row in listed if row is not None]


class _Place(NamedTuple):
    """Where an event of a block is."""

    position: int
    record: int
    part: int = 0


def _first_places(
    blocks: _Order, head: int, wanted: Callable[[int, int], bool], limit: int
) -> dict[int, int]:
    """Return the places of the first blocks, `limit` at least if there are so many."""
    # Two blocks may lie at the borders, and four before the position if they are short.
    most = limit // FEWEST + 6
    while True:
        found = event_blocks.find(*blocks.until("position", head, most))
        places = event_blocks.places(found, wanted)
        if len(places) >= limit or len(found) < most:
            return places
        # What was removed left holes.
        most *= 4
