"""`/api/tail`: every event, as lines of JSON."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from eventviz.asgi import application
from tests.integration.live import WAIT_S, connected, followed, log
from tests.integration.log import record
from tracing.models import ApiToken
from tracing.projections.rebuild import rebuild

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


@pytest.fixture
def token(live_log: None) -> str:
    """Return a script's token."""
    return ApiToken.issue(user_id=User.objects.create_user("robot").pk, name="test")


class Script:
    """A script's end of the socket."""

    def __init__(self, path: str, token: str) -> None:
        headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {token}".encode())]
        self.socket = WebsocketCommunicator(application, path, headers=headers)
        self.frames: list[float] = []

    async def lines(self, count: int) -> list[dict[str, Any]]:
        """Return at least so many lines."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            text = await self.socket.receive_from(timeout=WAIT_S)
            self.frames.append(time.monotonic())
            assert text.endswith("\n")
            found += [json.loads(line) for line in text.splitlines()]
        return found


@contextlib.asynccontextmanager
async def following(path: str, token: str) -> AsyncIterator[Script]:
    """Open the socket, and leave it at the end."""
    script = Script(path, token)
    async with connected(script.socket):
        yield script


async def test_it_sends_every_event_from_now_on_as_the_api_shows_it(token: str) -> None:
    before = await log(record("before"))

    async with following("/api/tail", token) as script:
        await followed(before)
        position = await log(
            record("e1", payload={"a": "line\nbreak"}, headers=(("x", None),)), record("e2")
        )
        lines = await script.lines(2)

    assert [line["event_id"] for line in lines] == ["e1", "e2"]
    assert lines[0]["payload"] == {"a": "line\nbreak"}
    assert lines[0]["headers"] == [["source", "order-service"], ["x", None]]
    assert [line["position"] for line in lines] == [position - 1, position]


async def test_it_goes_on_from_a_position_however_old(token: str) -> None:
    first = await log(record("e0"))
    for start in range(1, 2_501, 500):
        await log(
            *(record(f"e{number}", flow=f"o-{start}") for number in range(start, start + 500))
        )

    begun = time.monotonic()
    async with following(f"/api/tail?after={first}", token) as script:
        lines = await script.lines(2_500)
        await log(record("new"))
        more = await script.lines(1)

    assert [line["event_id"] for line in lines] == [f"e{number}" for number in range(1, 2_501)]
    assert [line["event_id"] for line in more] == ["new"]
    # Ten frames a second at most; the first one may leave at once.
    assert len(script.frames) <= 2 + 10 * (script.frames[-1] - begun)


async def test_it_filters(token: str) -> None:
    async with following("/api/tail?type=B&service=inventory", token) as script:
        await followed(0)
        await log(
            record("e1", "B"),
            record("e2", "A", service="inventory"),
            record("e3", "B", service="inventory"),
        )
        assert [line["event_id"] for line in await script.lines(1)] == ["e3"]


@pytest.mark.parametrize(
    ("query", "words"), [("after=x", "after:"), ("after=99", "after:"), ("tpye=x", "tpye:")]
)
async def test_a_bad_parameter_is_named_and_closes_the_socket(
    token: str, query: str, words: str
) -> None:
    async with following(f"/api/tail?{query}", token) as script:
        assert (await script.lines(1))[0]["error"].startswith(words)
        assert (await script.socket.receive_output(WAIT_S))["code"] == 1008


async def test_a_rebuild_ends_it_because_positions_changed(token: str) -> None:
    position = await log(record("e1"))

    async with following("/api/tail", token) as script:
        await followed(position)
        await database_sync_to_async(rebuild)()
        assert "rebuilt" in (await script.lines(1))[0]["error"]
        assert (await script.socket.receive_output(WAIT_S))["code"] == 1012


async def test_a_wrong_token_gets_no_socket(live_log: None) -> None:
    script = Script("/api/tail", "ev_wrong")

    assert (await script.socket.connect(timeout=WAIT_S))[0] is False
