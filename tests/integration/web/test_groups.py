"""The consumer groups' pages, from snapshots of a cluster."""

from __future__ import annotations

import datetime as dt

from django.test import Client
from django.utils import timezone

from tests.integration.pages import page
from tracing.jobs.groups import FORGET_AFTER, store_groups
from tracing.kafka.groups import Group, Member
from tracing.models import ConsumerGroup
from tracing.web.groups import present

HOSTILE = '"><script>alert(1)</script>'


def member(name: str, *numbers: int, said: bool = True) -> Member:
    """Return a member that holds partitions of `orders`."""
    held = tuple(("orders", number) for number in numbers) if said else None
    return Member(id=f"{name}-1", client=name, host="10.0.0.1", partitions=held)


def ago(**time: float) -> dt.datetime:
    """Return a moment before now: a snapshot that is old counts as gone."""
    return timezone.now() - dt.timedelta(**time)


def snapshot(*groups: Group, end: int = 100, at: dt.datetime | None = None) -> None:
    """Store what a cluster said; every partition of `orders` ends at the same offset."""
    store_groups(groups, {("orders", number): end for number in range(3)}, at or ago())


def group(name: str = "payment", state: str = "Stable", *, at: int = 90) -> Group:
    """Return a group of two that reads `orders`; one of its members is idle."""
    return Group(
        name=name,
        state=state,
        assignor="range",
        members=(member("pay-a", 0, 1, 2), member("pay-b")),
        committed={("orders", number): at for number in range(3)},
    )


def test_an_empty_page_says_who_looks(demo: Client) -> None:
    assert "manage.py work" in page(demo, "/groups/")


def test_it_shows_members_partitions_idle_ones_and_lag(demo: Client) -> None:
    snapshot(group())

    listed, detail = page(demo, "/groups/"), page(demo, "/groups/payment")

    assert "payment: 1 of 2 members have no partition to read" in listed
    assert ">30<" in listed
    assert "0\N{EN DASH}2" in detail
    assert "idle" in detail
    assert "pay-a" in detail
    assert ">10<" in detail


def test_a_rebalance_shows_members_without_partitions(demo: Client) -> None:
    moving = Group(
        name="payment", state="PreparingRebalance", members=(member("pay-a", said=False),)
    )
    snapshot(moving)

    assert "rebalancing" in page(demo, "/groups/")
    assert "the cluster does not say: rebalancing" in page(demo, "/groups/payment")


def test_a_lag_that_grows_is_marked(demo: Client) -> None:
    for step in range(7):
        snapshot(group(), end=100 + 40 * step, at=ago(seconds=35 - 5 * step))

    text = page(demo, "/groups/")

    assert "payment falls behind: 750 records wait" in text
    assert "falls behind</span>" in text


def test_a_group_without_members_says_what_waits(demo: Client) -> None:
    snapshot(Group(name="old", state="Empty", committed={("orders", 0): 40, ("gone", 0): 3}))

    assert "old has no members, and 60 records wait for it" in page(demo, "/groups/")


def test_a_group_that_is_gone_is_said_and_then_forgotten(demo: Client) -> None:
    snapshot(group("old"), at=ago(minutes=1))
    assert "not seen" in page(demo, "/groups/")

    snapshot(group("new"), at=timezone.now() + FORGET_AFTER)

    assert list(ConsumerGroup.objects.values_list("name", flat=True)) == ["new"]


def test_names_of_strangers_stay_text(demo: Client) -> None:
    snapshot(
        Group(
            name=HOSTILE,
            state=HOSTILE,
            members=(Member(id=HOSTILE, client=HOSTILE, host=HOSTILE, partitions=((HOSTILE, 0),)),),
            committed={(HOSTILE, 0): 1},
        )
    )

    for text in (page(demo, "/groups/"), present.detail_fragment(HOSTILE)):
        assert "<script>alert" not in text
        assert "alert(1)" in text


def test_an_unknown_group_is_not_found(demo: Client) -> None:
    assert demo.get("/groups/nothing").status_code == 404
