"""A request is answered by one thread, at one go; how it comes in and goes out is Django's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from channels.testing import ApplicationCommunicator
from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from pytest_django import Settings

from tracing.web.handler import THREADS, Pages

WAIT_S = 60
together = threading.Barrier(THREADS)


def whose(request: HttpRequest) -> HttpResponse:
    """Answer with the body and the thread that read it."""
    return HttpResponse(request.body + b" " + _thread().encode(), status=201)


def parts(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"one ", b"two"]))


def failing(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


def crowd(request: HttpRequest) -> HttpResponse:
    """Answer when as many as there are threads have come."""
    together.wait(WAIT_S)
    return HttpResponse(_thread())


urlpatterns = [
    path("whose/", whose),
    path("parts/", parts),
    path("failing/", failing),
    path("crowd/", crowd),
]


def _thread() -> str:
    return threading.current_thread().name


def plain(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Say, as a middleware that knows no coroutines, in which thread it ran."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["X-Thread"] = _thread()
        return response

    return middleware


@pytest.fixture
def pages(settings: Settings) -> Pages:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [f"{__name__}.plain"]
    return Pages()


async def ask(
    pages: Pages, address: str, *, body: bytes = b""
) -> tuple[int, bytes, dict[bytes, bytes]]:
    client = ApplicationCommunicator(
        pages,
        {
            "type": "http",
            "method": "POST",
            "path": address,
            "query_string": b"",
            "headers": [],
            "server": ("127.0.0.1", 80),
        },
    )
    await client.send_input({"type": "http.request", "body": body[:3], "more_body": True})
    await client.send_input({"type": "http.request", "body": body[3:]})
    start = await client.receive_output(timeout=WAIT_S)
    found = b""
    while True:
        part = await client.receive_output(timeout=WAIT_S)
        found += part.get("body", b"")
        if not part.get("more_body"):
            break
    await client.wait(timeout=WAIT_S)
    return start["status"], found, dict(start["headers"])


async def test_view_middleware_and_signals_share_a_thread(pages: Pages) -> None:
    said: list[str] = []

    def note(**_: object) -> None:
        said.append(_thread())

    request_started.connect(note)
    request_finished.connect(note)
    try:
        status, body, headers = await ask(pages, "/whose/", body=b"a body")
    finally:
        request_started.disconnect(note)
        request_finished.disconnect(note)

    thread = headers[b"X-Thread"].decode()
    assert (status, body) == (201, b"a body " + thread.encode())
    assert said == [thread, thread]
    assert thread.startswith("page")


async def test_what_is_streamed_comes_whole(pages: Pages) -> None:
    status, body, _ = await ask(pages, "/parts/")

    assert (status, body) == (200, b"one two")


@pytest.mark.filterwarnings("ignore")
async def test_a_view_that_fails_is_an_error_page(pages: Pages) -> None:
    status, _, _ = await ask(pages, "/failing/")

    assert status == 500


async def test_requests_do_not_wait_for_each_other_until_all_threads_are_taken(
    pages: Pages,
) -> None:
    answers = await asyncio.gather(*(ask(pages, "/crowd/") for _ in range(2 * THREADS)))

    assert {status for status, _, _ in answers} == {200}
    assert len({body for _, body, _ in answers}) == THREADS


async def test_who_leaves_before_the_request_is_whole_gets_nothing(pages: Pages) -> None:
    client = ApplicationCommunicator(
        pages, {"type": "http", "method": "POST", "path": "/whose/", "headers": []}
    )
    await client.send_input({"type": "http.request", "body": b"half", "more_body": True})
    await client.send_input({"type": "http.disconnect"})

    await client.wait(timeout=WAIT_S)

    assert await client.receive_nothing()
