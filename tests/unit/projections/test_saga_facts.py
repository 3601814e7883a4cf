"""What a saga keeps of its events does not depend on what came first."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

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


facts = st.lists(
    st.builds(
        Packed,
        st.integers(0, 99),
        st.just(0),
        st.sampled_from([bytes([n]) for n in range(12)]),
        st.none(),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 3),
        st.none(),
        st.integers(0, 1),
    ),
    max_size=40,
    unique_by=lambda fact: fact.record,
)


@settings(max_examples=60)
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
