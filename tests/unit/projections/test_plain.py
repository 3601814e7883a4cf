"""The short way to a flow's row says what the long one says, or leaves it to that."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import picks
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


def any_fact(raw: bytes) -> Packed:
    """Make a fact of ten numbers: few places, types, times and keys, mostly events of their own."""
    place, offset, part, event, cause, node, time_us, timestamp_ms, key, tier = raw
    return Packed(
        record=record_id((1, 1, 1, 2, 3, 4)[place % 6], offset % 10),
        part=part % 2,
        event=b"e%d" % event,
        cause=None if cause < 128 else b"e%d" % (2 * (cause - 128)),
        node=node % len(TYPES),
        time_us=time_us % 6,
        timestamp_ms=timestamp_ms % 4,
        key=(None, 1, 2)[key % 3],
        tier={1: 1, 2: 3}.get(tier % 30, 0),
    )


facts = st.lists(
    st.binary(min_size=10, max_size=10).map(any_fact),
    min_size=1,
    max_size=12,
    unique_by=lambda fact: (fact.record, fact.part),
)


declared = st.sampled_from([BY_NAME, Roles(frozenset({"OrderPlaced"}), ended=frozenset(TYPES))])


@given(facts, declared, picks(12, least=12))
def test_the_short_way_says_what_the_long_one_says(
    held: list[Packed], roles: Roles, causes: list[int]
) -> None:
    known = Known()
    events = [fact.event for fact in held]
    # Causes within the flow are what the marks are about.
    held = [
        msgspec.structs.replace(fact, cause=[fact.cause, *events][number % (len(events) + 1)])
        for fact, number in zip(held, causes, strict=False)
    ]
    sort(held)

    row = plain_row(held, known, roles)

    if row is None:
        copies = len(set(events)) < len(events)
        attempts = any(fact.tier for fact in held)
        assert copies or attempts or {1, 4} <= {fact.record >> 44 for fact in held}
    else:
        assert row == derive(unpack(held, known), roles)
