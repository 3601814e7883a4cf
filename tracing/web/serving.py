"""Daphne, taught to send one text to many sockets without copies for each.

By itself Daphne encodes and frames a text anew for every socket; Twisted copies it into a buffer
and writes that at later turns of the loop, 128 KB at a time, after asking each time whether it
may. A socket finds out by ASGI's `extensions` that it may send parts; beside another server it
sends text as usual.

Importing this module installs Twisted's reactor: only where Daphne runs.
"""

from __future__ import annotations

from typing import Any

from daphne.cli import CommandLineInterface
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from tracing.web.parts import PARTS, head, write


class PartsServer(Server):  # type: ignore[misc]
    """Tells applications that a text may come in parts."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Add the extension to a socket's scope."""
        if scope["type"] == "websocket":
            scope = {**scope, "extensions": {PARTS: {}}}
        return super().create_application(protocol, scope)


class PartsProtocol(WebSocketProtocol):  # type: ignore[misc]
    """A socket that takes `{"type": "websocket.send.parts", "parts": [bytes, ...]}`."""

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Send the parts as one message of text; anything else as Daphne does."""
        if message["type"] != PARTS:
            super().handle_reply(message)
        elif self.state == self.STATE_OPEN:
            parts = message["parts"]
            write(self.transport, [head(sum(map(len, parts))), *parts])


def install() -> None:
    """Let the Daphne that loads the application now be such a server."""
    CommandLineInterface.server_class = PartsServer
    WebSocketFactory.protocol = PartsProtocol
