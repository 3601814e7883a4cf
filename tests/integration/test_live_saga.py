"""A saga's live page: what it sends tells the time of now, whoever looked before."""

from __future__ import annotations

import datetime as dt

import pytest
from channels.db import database_sync_to_async

from tests.integration.live import Page, log, opened
from tests.integration.log import NOW_MS, record
from tests.unit.domain.saga.test_derive import SAGAS
from tracing.models import SagaInstance
from tracing.projections.saga_decisions import declare, forget_sagas
from tracing.web.sagas import present

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


async def _opening(page: Page) -> str:
    """Return what a page gets when it opens: the state, and what its clock sends first."""
    return await page.frame_text() + await page.frame_text()


async def test_a_stuck_saga_opens_with_the_time_of_now(
    cookie: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def declared() -> None:
        forget_sagas()
        text = (SAGAS / "order.yaml").read_text()
        declare(text, by="test", valid_from=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))

    await database_sync_to_async(declared)()
    await log(record("e1", "OrderPlaced", payload={"orderId": "ORD-1"}, flow="f"))
    saga = await SagaInstance.objects.aget(key="ORD-1")
    path = f"/live/saga?id={saga.id}&flow=f"

    # Its first step may take 10 s.
    monkeypatch.setattr(present, "now_ms", lambda: NOW_MS + 10_000 + 79_000)
    async with opened(path, cookie) as first:
        assert "overdue by 1:19" in await _opening(first)
    monkeypatch.setattr(present, "now_ms", lambda: NOW_MS + 10_000 + 1_339_000)
    async with opened(path, cookie) as second:
        later = await _opening(second)

    assert "overdue by 22:19" in later
    assert "overdue by 1:19" not in later
