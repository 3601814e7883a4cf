"""`GET /api/wait` as an ASGI application of its own.

Django's middleware is synchronous: behind it every waiter would hold a thread. Here a waiter is a
coroutine, and ends when its client goes away.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db import DatabaseError
from django.http import HttpResponse

from tracing.live.follower import following
from tracing.live.threads import DatabaseAwayError
from tracing.web import scopes
from tracing.web.api.parameters import BadParameterError
from tracing.web.api.views import answer, failure
from tracing.web.wait import room
from tracing.web.wait.wanted import asked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterator

    from tracing.live.follower import Follower
    from tracing.web.wait.wanted import Asked

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_WAITERS: Final = 500
MAX_OF_CLIENT: Final = 250
RETRY_AFTER_S: Final = 1

_waiting: Counter[Hashable] = Counter()


async def wait(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer one request, or nobody when its client has left."""
    answering = asyncio.create_task(_answer(scope))
    leaving = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            await _send(answering.result(), send, head=scope["method"] == "HEAD")
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(scope: dict[str, Any]) -> HttpResponse:
    if scope["method"] not in {"GET", "HEAD"}:
        refused = failure("Only GET: this address reads.", status=405)
        refused["Allow"] = "GET, HEAD"
        return refused
    try:
        # Its threads keep their connections: opening one for each question costs more than the
        # rest of the answer.
        async with following() as follower:
            user, refusal = await follower.run(partial(scopes.api_caller, scope))
            if refusal is not None:
                return refusal
            question = asked(scope["query_string"])
            client = (user, (scope.get("client") or ("",))[0])
            with _place(client):
                return await _wait(follower, question)
    except BadParameterError as error:
        return failure(str(error), status=400)
    except _FullError as error:
        full = failure(str(error), status=429)
        full["Retry-After"] = str(RETRY_AFTER_S)
        return full
    except (DatabaseError, DatabaseAwayError) as error:
        return failure(f"The database does not answer: {error}", status=503)


async def _wait(follower: Follower, question: Asked) -> HttpResponse:
    found = await room.wait(follower, question.wanted, timeout_s=question.timeout_s)
    if found is None:
        return answer({"status": "timeout", "event": None, "position": follower.position})
    return answer(
        {"status": found.status, "event": found.event, "position": found.event["position"]}
    )


class _FullError(Exception):
    """Too many wait."""


@contextlib.contextmanager
def _place(client: Hashable) -> Iterator[None]:
    """Hold one of the places for those who wait. Raises _FullError."""
    if _waiting.total() >= MAX_WAITERS:
        raise _FullError(f"{MAX_WAITERS} wait already: try again.")
    if _waiting[client] >= MAX_OF_CLIENT:
        raise _FullError(f"{MAX_OF_CLIENT} of yours wait already: end some, or try again.")
    _waiting[client] += 1
    try:
        yield
    finally:
        _waiting[client] -= 1
        if not _waiting[client]:
            del _waiting[client]


async def _send(response: HttpResponse, send: Send, *, head: bool) -> None:
    response["Content-Length"] = str(len(response.content))
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.content})
