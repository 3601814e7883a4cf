"""What a saga keeps of its events does not depend on what came first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.projections.catalogue import Catalogue
from tracing.projections.packing import Packed
from tracing.projections.saga_facts import MOST_OF_A_TYPE, Effects, Held, add, dump


class Names(Catalogue):
    """A catalogue without a database: two types, one partition."""

    def pairs(self, node_ids: object) -> None:
        """Know them all."""

    def pair(self, node_id: int) -> tuple[str, str]:
        """Return a type by its number."""
        return (f"Type{node_id % 2}", "")

    def place(self, partition_id: int) -> tuple[str, int]:
        """Return the only place."""
        return ("events", partition_id)


def fact(raw: bytes) -> Packed:
    """Make a fact of six numbers: few records, events, types and times."""
    record, event, node, time_us, timestamp_ms, tier = raw
    return Packed(
        record=record % 100,
        part=0,
        event=bytes([event % 12]),
        cause=None,
        node=node % 4,
        time_us=time_us % 4,
        timestamp_ms=timestamp_ms % 4,
        key=None,
        tier=tier % 2,
    )


facts = st.lists(
    st.binary(min_size=6, max_size=6).map(fact),
    max_size=40,
    unique_by=lambda fact: fact.record,
)


@share(60)
@given(facts, st.randoms(use_true_random=False), st.integers(0, 40))
def test_any_order_and_cut_keeps_the_same(drawn, dice, cut) -> None:  # type: ignore[no-untyped-def]
    one, other = (Held([], 0, Effects()) for _ in range(2))
    add(one, drawn, Names())
    shuffled = list(drawn)
    dice.shuffle(shuffled)
    add(other, shuffled[:cut], Names())
    add(other, shuffled[cut:], Names())
    add(other, shuffled[:3], Names())

    assert dump(one) == dump(other)
    assert len(one.facts) <= 2 * MOST_OF_A_TYPE
