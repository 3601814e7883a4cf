"""The socket at addresses that do not exist."""

from __future__ import annotations

from channels.generic.websocket import AsyncWebsocketConsumer


class Nowhere(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Refuse: without this the router raises, and the log fills with tracebacks of scanners."""

    async def connect(self) -> None:
        """Refuse the handshake."""
        await self.close()
