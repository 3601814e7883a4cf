"""What the shop remembers beyond a restart."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tracing.demo.store import REMEMBERED_S, Store


def test_an_event_is_remembered_for_a_day_and_no_longer() -> None:
    now = 1_000_000.0
    store = Store(":memory:", now=lambda: now)
    store.mark_handled("email", "e1")

    assert store.is_handled("email", "e1")
    assert not store.is_handled("payment", "e1")
    now += REMEMBERED_S - 1
    assert store.is_handled("email", "e1")
    now += 1
    assert not store.is_handled("email", "e1")


def test_what_expired_is_removed_while_it_works() -> None:
    now = 1_000_000.0
    store = Store(":memory:", now=lambda: now)
    store.mark_handled("email", "old")
    now += REMEMBERED_S
    for number in range(1_000):
        store.mark_handled("email", str(number))

    assert store._db.execute("SELECT COUNT(*) FROM handled").fetchone() == (1_000,)


def test_it_survives_a_restart_and_two_processes_see_one_switch(tmp_path: Path) -> None:
    first, second = Store(tmp_path / "shop"), Store(tmp_path / "shop")
    first.mark_handled("email", "e1")

    assert second.is_on("gateway")
    first.turn("gateway", on=False)
    assert not second.is_on("gateway")
    for store in (first, second):
        store.close()
    with contextlib.closing(Store(tmp_path / "shop")) as third:
        assert third.is_handled("email", "e1")
