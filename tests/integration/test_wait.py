"""`/api/wait`: an answer as soon as the event is stored, and at once if it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import ApplicationCommunicator
from django.contrib.auth.models import User

from eventviz.asgi import application
from tests.integration.log import record, write
from tracing.live.follower import open_sockets
from tracing.models import ApiToken
from tracing.projections.rebuild import rebuild
from tracing.web.wait import app, stored

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]

WAIT_S = 60


@pytest.fixture
def token(live_log: None) -> str:
    return ApiToken.issue(user_id=User.objects.create_user("robot").pk, name="test")


class Request:
    """One request on its way."""

    def __init__(self, query: str, token: str = "", method: str = "GET", **headers: str) -> None:
        given = {"host": "127.0.0.1", **headers}
        if token:
            given["authorization"] = f"Bearer {token}"
        self._client = ApplicationCommunicator(
            application,
            {
                "type": "http",
                "method": method,
                "path": "/api/wait",
                "raw_path": b"/api/wait",
                "query_string": query.encode(),
                "headers": [(name.encode(), value.encode()) for name, value in given.items()],
                "client": ("10.0.0.1", 4_000),
                "server": ("127.0.0.1", 80),
                "scheme": "http",
                "http_version": "1.1",
            },
        )

    async def begin(self) -> None:
        await self._client.send_input({"type": "http.request", "body": b"", "more_body": False})

    async def answer(self) -> tuple[int, dict[str, Any]]:
        start = await self._client.receive_output(timeout=WAIT_S)
        body = await self._client.receive_output(timeout=WAIT_S)
        await self._client.wait()
        return start["status"], json.loads(body["body"] or b"null")

    async def leave(self) -> None:
        await self._client.send_input({"type": "http.disconnect"})
        await self._client.wait()


async def ask(query: str, token: str) -> tuple[int, dict[str, Any]]:
    request = Request(query, token)
    await request.begin()
    return await request.answer()


async def waiting(count: int) -> None:
    """Wait until so many wait."""
    async with asyncio.timeout(WAIT_S):
        while app._waiting.total() != count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


stores = database_sync_to_async(write)


async def test_it_answers_when_the_event_is_stored(token: str) -> None:
    request = Request("type=StockReserved&match=orderId:ORD-7&timeout_ms=60000", token)
    await request.begin()
    await waiting(1)

    await stores(record("e-0", "StockReserved", payload={"orderId": "ORD-8"}))
    await stores(record("e-1", "StockReserved", payload={"orderId": "ORD-7", "n": 1}))

    status, body = await request.answer()
    assert status == 200
    assert body["status"] == "matched"
    assert body["event"]["event_id"] == "e-1"
    assert body["event"]["payload"] == {"orderId": "ORD-7", "n": 1}
    assert body["position"] == body["event"]["position"]
    assert open_sockets() == app._waiting.total() == 0


async def test_a_failure_ends_the_waiting_too(token: str) -> None:
    query = "type=StockReserved&fail=StockReservationFailed&match=orderId:ORD-7&timeout_ms=60000"
    request = Request(query, token)
    await request.begin()
    await waiting(1)

    await stores(record("e-1", "StockReservationFailed", payload={"orderId": "ORD-7"}))

    assert (await request.answer())[1]["status"] == "failed"


@pytest.mark.parametrize(
    "match",
    ["orderId:ORD-7", "key:K-1", "correlation_id:flow", "event_id:e-1", "colour:red"],
)
async def test_what_is_stored_already_is_answered_at_once(token: str, match: str) -> None:
    """The event is older than all that the follower of this process has seen."""
    payload = {"orderId": "ORD-7", "colour": "red"}
    await stores(record("e-1", "StockReserved", flow="flow", payload=payload, key=b"K-1"))

    status, body = await ask(f"type=StockReserved&match={match}&timeout_ms=0", token)

    assert (status, body["status"]) == (200, "matched")
    assert body["event"]["event_id"] == "e-1"


async def test_of_several_stored_ones_the_newest_is_the_answer(token: str) -> None:
    await stores(record("e-1", "PaymentFailed", payload={"orderId": "ORD-7"}))
    first = await stores(record("e-2", "PaymentProcessed", payload={"orderId": "ORD-7"}))
    query = "type=PaymentProcessed&fail=PaymentFailed&match=orderId:ORD-7&timeout_ms=0"

    newest = await ask(query, token)
    later = await ask(f"{query}&after={first}", token)

    assert newest[1]["status"] == "matched"
    assert later[1] == {"status": "timeout", "event": None, "position": first}


async def test_all_matches_have_to_hold(token: str) -> None:
    await stores(record("e-1", "StockReserved", payload={"orderId": "ORD-7", "store": "north"}))

    found = [
        (await ask(f"type=StockReserved&match=orderId:ORD-7&match={second}&timeout_ms=0", token))
        for second in ("store:north", "store:south")
    ]

    assert [body["status"] for _, body in found] == ["matched", "timeout"]


async def test_two_hundred_who_wait_cost_one_look_at_each_event(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def counted(of: Callable[..., Any]) -> Callable[..., Any]:
        def look(changes: list[Any]) -> Any:
            looks.append(len(changes))
            return of(changes)

        return look

    monkeypatch.setattr(stored, "compared", counted(stored.compared))
    requests = [
        Request(f"type=StockReserved&match=orderId:ORD-{number}&timeout_ms=60000", token)
        for number in range(200)
    ]
    for request in requests:
        await request.begin()
    await waiting(200)

    await stores(
        *(record(f"e-{n}", "StockReserved", payload={"orderId": f"ORD-{n}"}) for n in range(200))
    )

    answers = await asyncio.gather(*(request.answer() for request in requests))
    assert [body["event"]["event_id"] for _, body in answers] == [f"e-{n}" for n in range(200)]
    # An event that came while the last ones were still looking may have been answered by that look.
    assert sum(looks) == 200


async def test_a_client_that_goes_away_frees_its_place(token: str) -> None:
    request = Request("type=Never&timeout_ms=60000", token)
    await request.begin()
    await waiting(1)

    await request.leave()

    assert app._waiting.total() == 0
    assert open_sockets() == 0


async def test_a_client_has_a_limit(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "MAX_OF_CLIENT", 1)
    first = Request("type=Never&timeout_ms=60000", token)
    await first.begin()
    await waiting(1)

    status, body = await ask("type=Never&timeout_ms=0", token)

    assert status == 429
    assert "wait already" in body["error"]
    await first.leave()
    assert (await ask("type=Never&timeout_ms=0", token))[0] == 200


async def test_a_rebuild_forgets_nobody(token: str) -> None:
    request = Request("type=StockReserved&match=orderId:ORD-7&timeout_ms=60000", token)
    await request.begin()
    await waiting(1)
    await stores(record("e-0", "OrderPlaced", payload={"orderId": "ORD-7"}))

    await database_sync_to_async(rebuild)()
    await stores(record("e-1", "StockReserved", payload={"orderId": "ORD-7"}))

    assert (await request.answer())[1]["status"] == "matched"


async def test_a_wrong_question_a_method_and_a_stranger_are_refused(token: str) -> None:
    post = Request("type=A", token, method="POST")
    await post.begin()
    nobody = Request("type=A")
    await nobody.begin()
    foreign = Request("type=A", token, origin="http://elsewhere.example")
    await foreign.begin()
    lost = Request("type=A", token, host="elsewhere.example")
    await lost.begin()

    bad = await ask("type=A&match=x", token)

    assert bad == (400, {"error": "match: a field and its value, such as orderId:ORD-1."})
    assert [(await it.answer())[0] for it in (post, nobody, foreign, lost)] == [405, 401, 403, 400]
