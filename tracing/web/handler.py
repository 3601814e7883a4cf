"""How a request over HTTP is answered: at one go, in one of a few threads."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, cast

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.http import StreamingHttpResponse
from django.urls import set_script_prefix

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from django.http.response import HttpResponseBase

    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]

# Python computes in one of them at a time; the others wait for the disk, or for a writer.
THREADS = 8


class Pages(ASGIHandler):
    """Django's handler for views and middleware that are all synchronous, as ours are.

    Django's own starts a thread for each request and passes to and fro between it and the event
    loop, for the signals, the middleware, each of its hooks, the view and the end. On a busy
    machine each of these steps waits for a core. Here a request takes one step there and one
    back, and the threads keep their connections to the database (`CONN_MAX_AGE`).
    """

    def __init__(self) -> None:
        """Load the middleware as for WSGI. The threads start with the first requests."""
        super().__init__()
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="page")

    async def handle(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request. Who leaves meanwhile gets nothing: the server drops what is sent."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            answer = functools.partial(contextvars.copy_context().run, self._answer, scope, body)
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._threads, answer)
            await self.send_response(response, send)

    def _answer(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        """Do all that may ask the database, to the end: what is closed stays readable."""
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response = cast("HttpResponseBase", self.get_response(request) if request else refusal)
        # As Django's own does: the signal at the end names it.
        response._handler_class = type(self)  # type: ignore[attr-defined]  # noqa: SLF001
        if isinstance(response, StreamingHttpResponse):
            # Static files. Django would read them whole too, after another way to a thread.
            response.streaming_content = _each(list(cast("Iterable[bytes]", response)))
        response.close()
        return response


async def _each(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
