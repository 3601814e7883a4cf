"""Websocket addresses of the app."""

from __future__ import annotations

from channels.routing import URLRouter
from django.urls import path, re_path

from tracing.web.api.sockets import TailStream
from tracing.web.flows.sockets import FlowsSocket
from tracing.web.nowhere import Nowhere
from tracing.web.tail.sockets import TailSocket

websocket = URLRouter(
    [
        path("live/flows", FlowsSocket.as_asgi()),
        path("live/tail", TailSocket.as_asgi()),
        path("api/tail", TailStream.as_asgi()),
        re_path(r"", Nowhere.as_asgi()),
    ]
)
