"""One render for all who show the same."""

from __future__ import annotations

import asyncio

import pytest

from tracing.live.renders import FRESH_S, Renders


class Render:
    """Something that takes until it is let go, and counts how often it was asked."""

    def __init__(self, text: str = "<p>") -> None:
        self.text = text
        self.calls = 0
        self.go = asyncio.Event()

    async def __call__(self) -> str:
        self.calls += 1
        await self.go.wait()
        return self.text


async def test_a_hundred_who_ask_at_once_share_one_render() -> None:
    renders: Renders[str] = Renders()
    render = Render()

    waiting = [asyncio.create_task(renders.get("key", render)) for _ in range(100)]
    await asyncio.sleep(0)
    render.go.set()

    assert await asyncio.gather(*waiting) == ["<p>"] * 100
    assert render.calls == 1


async def test_who_leaves_does_not_end_the_render_of_the_others() -> None:
    renders: Renders[str] = Renders()
    render = Render()
    leaving = asyncio.create_task(renders.get("key", render))
    staying = asyncio.create_task(renders.get("key", render))
    await asyncio.sleep(0)

    leaving.cancel()
    render.go.set()

    assert await staying == "<p>"
    assert render.calls == 1


async def test_it_keeps_no_failure() -> None:
    renders: Renders[str] = Renders()

    async def fail() -> str:
        raise ValueError("broken")

    async def work() -> str:
        return "<p>"

    with pytest.raises(ValueError, match="broken"):
        await renders.get("key", fail)

    assert await renders.get("key", work) == "<p>"


async def test_it_forgets_the_oldest_beyond_its_number() -> None:
    renders: Renders[str] = Renders(max_entries=2)
    render = Render()
    render.go.set()

    for key in ("a", "b", "c", "b", "a"):
        await renders.get(key, render)

    # "b" was still there; "a" had to be made again.
    assert render.calls == 4


async def test_it_forgets_the_oldest_beyond_its_length() -> None:
    renders: Renders[str] = Renders(max_length=10)
    render = Render("123456")
    render.go.set()

    for key in ("a", "b", "b", "a"):
        await renders.get(key, render)

    assert render.calls == 3


async def test_what_is_old_is_made_again() -> None:
    now = 0.0
    renders: Renders[str] = Renders(clock=lambda: now)
    render = Render("overdue by 0:01")
    render.go.set()

    for now in (0.0, FRESH_S, FRESH_S + 0.1):  # noqa: B007
        await renders.get("key", render)

    assert render.calls == 2


async def test_what_takes_long_is_not_begun_twice() -> None:
    now = 0.0
    renders: Renders[str] = Renders(clock=lambda: now)
    render = Render()
    first = asyncio.create_task(renders.get("key", render))
    await asyncio.sleep(0)
    now = 10 * FRESH_S
    second = asyncio.create_task(renders.get("key", render))
    await asyncio.sleep(0)
    render.go.set()

    assert [await first, await second] == ["<p>", "<p>"]
    assert render.calls == 1


async def test_closing_ends_what_is_being_made() -> None:
    renders: Renders[str] = Renders()
    waiting = asyncio.create_task(renders.get("key", Render()))
    await asyncio.sleep(0)

    await renders.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting
