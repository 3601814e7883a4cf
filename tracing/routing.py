"""Addresses of the app that need no thread each: websockets, and who waits for an event."""

from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from django.urls import path, re_path

from tracing.demo.sockets import OrderSocket
from tracing.web.api.sockets import TailStream
from tracing.web.dead_letters.sockets import (
    DeadLetterSocket,
    DeadLettersSocket,
    DeadMessageSocket,
    InRetrySocket,
)
from tracing.web.flow.sockets import FlowSocket
from tracing.web.flows.sockets import FlowsSocket
from tracing.web.groups.sockets import GroupSocket, GroupsSocket
from tracing.web.nowhere import Nowhere
from tracing.web.retries.sockets import AlertsSocket, RetriesSocket, RetrySocket
from tracing.web.sagas.sockets import SagaSocket, SagasSocket
from tracing.web.tail.sockets import TailSocket
from tracing.web.topics.sockets import TopicSocket, TopicsSocket
from tracing.web.wait.app import wait

websocket = URLRouter(
    [
        path("live/flows", FlowsSocket.as_asgi()),
        path("live/flow", FlowSocket.as_asgi()),
        path("live/tail", TailSocket.as_asgi()),
        path("live/topics", TopicsSocket.as_asgi()),
        path("live/topic", TopicSocket.as_asgi()),
        path("live/groups", GroupsSocket.as_asgi()),
        path("live/group", GroupSocket.as_asgi()),
        path("live/sagas", SagasSocket.as_asgi()),
        path("live/saga", SagaSocket.as_asgi()),
        path("live/dead-letters", DeadLettersSocket.as_asgi()),
        path("live/dead-letter", DeadLetterSocket.as_asgi()),
        path("live/dead-message", DeadMessageSocket.as_asgi()),
        path("live/in-retry", InRetrySocket.as_asgi()),
        path("live/alerts", AlertsSocket.as_asgi()),
        path("live/retries", RetriesSocket.as_asgi()),
        path("live/retry", RetrySocket.as_asgi()),
        path("api/tail", TailStream.as_asgi()),
        *([path("live/order", OrderSocket.as_asgi())] if settings.EVENTVIZ_SHOP else []),
        re_path(r"", Nowhere.as_asgi()),
    ]
)


def http(pages: Any) -> URLRouter:
    """Return what answers over HTTP: `pages`, but for those who wait."""
    return URLRouter(
        [
            path("api/wait", wait),  # type: ignore[arg-type]
            re_path(r"", pages),
        ]
    )
