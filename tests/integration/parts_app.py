"""An application that sends more than a connection takes at once, in parts, as ours does."""

from __future__ import annotations

import sys
from typing import Any

from tracing.web.parts import PARTS

MESSAGES = 30
BODY = b"0123456789abcdef" * 20_000

if "daphne.cli" in sys.modules:
    from tracing.web import serving

    serving.install()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Send all messages at once, the last one as plain text, then one answer to each message."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    assert PARTS in scope["extensions"]
    for number in range(MESSAGES):
        await send({"type": PARTS, "parts": [BODY, str(number).encode(), b"."]})
    await send({"type": "websocket.send", "text": "That was all."})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": PARTS, "parts": [b"You said ", message["text"].encode()]})
