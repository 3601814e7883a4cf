"""ASGI entry: pages over HTTP, live fragments over websockets, in one Daphne process."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventviz.settings")
# Loads the apps: the routing below imports models.
pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402

from tracing.routing import http, websocket  # noqa: E402

application = ProtocolTypeRouter({"http": http(pages), "websocket": websocket})
