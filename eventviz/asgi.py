"""ASGI entry: pages over HTTP, live fragments over websockets, in one Daphne process."""

from __future__ import annotations

import gc
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventviz.settings")
# Python's threads hand over after 5 ms: while one draws, the loop would wait that long again after
# each of the many writes to sockets that one tick makes.
sys.setswitchinterval(0.001)
# Loads the apps: the routing below imports models.
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter  # noqa: E402

from tracing.routing import http, websocket  # noqa: E402
from tracing.web.handler import Pages  # noqa: E402

if "daphne.cli" in sys.modules:
    from tracing.web import serving

    serving.install()

application = ProtocolTypeRouter({"http": http(Pages()), "websocket": websocket})

# Look for cycles seldom: a frame makes ten thousand objects and hardly any cycle. What is loaded
# by now stays for good.
gc.freeze()
gc.set_threshold(20_000, 20, 20)
