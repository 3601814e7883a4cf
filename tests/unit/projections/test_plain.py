"""The short way to a flow's row says what the long one says, or leaves it to that."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tracing.domain.derive import derive
from tracing.domain.rules import BY_NAME, Roles
from tracing.models.source import record_id
from tracing.projections.catalogue import Catalogue
from tracing.projections.packing import Packed, sort, unpack
from tracing.projections.plain import plain_row

TYPES = ["OrderPlaced", "PaymentFailed", "StockReleased", "OrderCompleted", "undecodable"]
PLACES = {1: ("orders", 0), 2: ("orders", 1), 3: ("stock", 0), 4: ("orders", 0)}


class Known(Catalogue):
    """A catalogue that knows some names without a database."""

    def __init__(self) -> None:
        """Know a node a type, and four partitions: one topic was made anew."""
        super().__init__()
        self._places = dict(PLACES)
        self._pairs = dict(enumerate((event_type, "service") for event_type in TYPES))

    def pairs(self, node_ids: Iterable[int]) -> None:
        """Have them all in memory."""


facts = st.lists(
    st.builds(
        Packed,
        record=st.builds(record_id, st.sampled_from([1, 1, 1, 2, 3, 4]), st.integers(0, 9)),
        part=st.integers(0, 1),
        event=st.integers(0, 300).map(lambda number: b"e%d" % number),
        cause=st.none() | st.integers(0, 300).map(lambda number: b"e%d" % number),
        node=st.integers(0, len(TYPES) - 1),
        time_us=st.integers(0, 5),
        timestamp_ms=st.integers(0, 3),
        key=st.sampled_from([None, 1, 2]),
        tier=st.sampled_from([0, 0, 0, 0, 0, 0, 0, 1, 3]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda fact: (fact.record, fact.part),
)


declared = st.sampled_from([BY_NAME, Roles(frozenset({"OrderPlaced"}), ended=frozenset(TYPES))])


@given(facts, declared, st.data())
def test_the_short_way_says_what_the_long_one_says(
    held: list[Packed], roles: Roles, data: st.DataObject
) -> None:
    known = Known()
    events = [fact.event for fact in held]
    # Causes within the flow are what the marks are about.
    held = [
        msgspec.structs.replace(fact, cause=data.draw(st.sampled_from([fact.cause, *events])))
        for fact in held
    ]
    sort(held)

    row = plain_row(held, known, roles)

    if row is None:
        copies = len(set(events)) < len(events)
        attempts = any(fact.tier for fact in held)
        assert copies or attempts or {1, 4} <= {fact.record >> 44 for fact in held}
    else:
        assert row == derive(unpack(held, known), roles)
