"""Websocket addresses of the app."""

from __future__ import annotations

from channels.routing import URLRouter
from django.urls import path, re_path

from tracing.web.api.sockets import TailStream
from tracing.web.nowhere import Nowhere

websocket = URLRouter(
    [
        path("api/tail", TailStream.as_asgi()),
        re_path(r"", Nowhere.as_asgi()),
    ]
)
