"""Where a record may go: the allow-list decides, never a header alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.retry.targets import Target, Targets, target_of

KNOWN = ("orders", "orders.dlq", "payments", "__consumer_offsets")


def targets(*patterns: str) -> Targets:
    return Targets(KNOWN, patterns, lambda topic: topic.endswith(".dlq"))


def target(
    source: tuple[str, int | None] | None, wanted: str = "", *, given: Targets | None = None
) -> Target:
    return target_of(
        given or targets(),
        stored_in="orders.dlq" if source else "orders",
        partition=2,
        source=source,
        wanted=wanted,
        partitions=lambda _topic: range(3),
    )


def test_ordinary_topics_that_are_read_are_allowed() -> None:
    assert targets().names() == ["orders", "payments"]


def test_a_setting_replaces_the_rule() -> None:
    assert targets("*.dlq", "secret", "__*").names() == ["orders.dlq"]


def test_it_goes_back_to_its_own_partition() -> None:
    assert target(("orders", 1)) == Target("orders", 1)
    assert target(None) == Target("orders", 2)


def test_without_its_partition_the_key_decides() -> None:
    assert target(("orders", 9)) == Target("orders", None)
    assert target(("orders", None)) == Target("orders", None)
    assert target(("orders", 1), "payments") == Target("payments", None)


@share(50)
@given(st.text(), st.none() | st.integers(), st.sampled_from(["", *KNOWN]))
def test_a_header_never_decides_alone(topic: str, partition: int | None, wanted: str) -> None:
    found = target((topic, partition), wanted)

    assert found.refused or found.topic in {"orders", "payments"}


def test_a_copy_never_goes_to_the_dead_letters() -> None:
    assert "may be sent to" in target(("orders.dlq", 0)).refused
    assert "may be sent to" in target(("orders", 0), "orders.dlq").refused
