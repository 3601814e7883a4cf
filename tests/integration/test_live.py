"""Live pages over real sockets, on a log that is written meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from channels.db import database_sync_to_async
from django.db import connection

from tests.integration.live import WAIT_S, log, opened
from tests.integration.log import NOW_MS, failed, record
from tests.integration.test_live_tail import shown
from tracing.domain.failure import group_key
from tracing.models import DeadLetter
from tracing.projections.rebuild import rebuild

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


async def test_the_list_sends_its_state_and_then_what_changes(cookie: bytes) -> None:
    await log(record("e1", flow="first"))

    async with opened("/live/flows", cookie) as page:
        state = await page.frame_text()
        await log(record("e2", flow="second"))
        change = await page.until("/flows/second")

    assert "/flows/first" in state
    assert "/flows/first" not in change


async def test_a_page_that_knows_its_position_gets_only_what_came_since(cookie: bytes) -> None:
    position = await log(record("e1", flow="first"))
    await log(record("e2", flow="second"))

    async with opened(f"/live/flows?after={position}", cookie) as page:
        text = await page.frame_text()

    assert "/flows/second" in text
    assert "/flows/first" not in text
    assert page.position == position + 1


async def test_a_flow_that_does_not_exist_yet_appears_and_grows(cookie: bytes) -> None:
    async with opened("/live/flow?id=a%2Fb%20%3Cc%3E", cookie) as page:
        unknown = await page.frame_text()
        await log(record("e1", flow="a/b <c>"), record("other", flow="o-2"))
        begun = await page.until('id="flow-graph"')
        await log(record("e2", "PaymentFailed", flow="a/b <c>", cause="e1"))
        grown = await page.until("PaymentFailed")

    assert 'id="flow-head"' not in unknown
    assert 'data-event="e1"' in begun
    assert "other" not in begun
    assert 'data-event="e1"' in grown
    assert 'data-event="e2"' in grown
    assert "<c>" not in grown


async def test_a_dead_letters_page_follows_what_becomes_of_it(cookie: bytes) -> None:
    await log(failed("e1"))
    one = await DeadLetter.objects.aget()
    path = f"/live/dead-message?group={group_key(one.group_id)}&record={one.record}"

    async with opened(path, cookie) as page:
        assert "nobody has dealt with it" in await page.frame_text()
        again = (("eventviz-retry-id", b"r-1"),)
        await log(record("e1", flow="flow-e1", headers=again, at_ms=NOW_MS + 60_000))
        assert "a retry by eventviz" in await page.until("sent again")


async def test_a_flow_is_not_sent_again_for_the_events_of_others(cookie: bytes) -> None:
    position = await log(record("e1"))

    async with opened(f"/live/flow?id=o-1&after={position}", cookie) as page:
        await page.until('id="shell-live"')
        await log(record("e2", flow="o-2"))
        assert await page.silent(0.5)


async def test_a_position_of_another_log_gets_the_state(cookie: bytes) -> None:
    await log(record("e1", flow="first"))

    async with opened("/live/flows?after=999999", cookie) as page:
        assert "/flows/first" in await page.frame_text()


async def test_a_rebuild_sends_the_state_again(cookie: bytes) -> None:
    await log(record("e1"), record("e2"))

    async with opened("/live/tail", cookie) as page:
        await page.frame_text()
        await database_sync_to_async(rebuild)()
        assert shown(await page.until("data-whole")) == ["e2", "e1"]


async def test_the_ingest_that_stopped_shows_by_itself(cookie: bytes) -> None:
    async with opened("/live/flows", cookie) as page:
        text = await page.until('id="shell-live"')

    assert 'data-ingest="stopped"' in text


@pytest.mark.skipif(connection.vendor != "sqlite", reason="others say it with another error")
async def test_live_pages_go_on_after_the_database_was_away(
    cookie: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened("/live/tail", cookie) as page:
        await page.frame_text()
        await database_sync_to_async(execute)("ALTER TABLE tracing_loghead RENAME TO away")
        try:
            async with asyncio.timeout(WAIT_S):
                while "Live pages wait" not in caplog.text:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        finally:
            await database_sync_to_async(execute)("ALTER TABLE away RENAME TO tracing_loghead")
        await log(record("e1"))
        assert shown(await page.until("event=e1")) == ["e1"]

    assert caplog.text.count("Live pages wait") == 1


def execute(statement: str) -> None:
    """Run a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
