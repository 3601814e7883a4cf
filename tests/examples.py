"""What properties draw: how many examples, and values that several of them share."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st


def share(percent: int) -> settings:
    """Draw that share of the examples that the profile asks for.

    For a property that is simple, or whose single example holds many cases: what it can find, it
    finds early. A profile that draws more reaches it all the same.
    """
    return settings(max_examples=settings().max_examples * percent // 100)


def picks(most: int, *, least: int = 0, below: int = 256) -> st.SearchStrategy[list[int]]:
    """Draw numbers below a bound of at most 256: all at once, as a choice each costs far more."""
    return st.binary(min_size=least, max_size=most).map(lambda raw: [one % below for one in raw])


def pairs(most: int, *, below: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Draw pairs of numbers below a bound of at most 256."""
    return picks(2 * most, below=below).map(
        lambda ends: list(zip(ends[::2], ends[1::2], strict=False))
    )


# Any JSON value; some of the names are those that rules and mappings look at.
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "b", "id", "parentId", "a.b", "[0]", "", "\n", "data"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
