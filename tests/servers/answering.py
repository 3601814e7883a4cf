"""HTTP servers within a test's own process: they answer as long as the test holds them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any, TypeVar

from tracing.schemas.http import Login

# Status, headers and body.
Page = tuple[int, dict[str, str], bytes]
Server = TypeVar("Server", bound=HTTPServer)
# How often a server looks whether it shall end.
POLL_S = 0.01


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Let a server answer from a thread of its own, and close it at the end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class QuietHandler(BaseHTTPRequestHandler):
    """Answers without a line on the terminal."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


class Answering(ThreadingHTTPServer):
    """Answers from a table of pages, and remembers what it was asked."""

    daemon_threads = True
    # Its threads end with their one answer: nothing to wait for.
    block_on_close = False

    def __init__(self, pages: dict[str, Page]) -> None:
        """Listen on a free port of loopback."""
        super().__init__(("127.0.0.1", 0), _PageHandler)
        self.pages = pages
        self.asked: list[tuple[str, str | None]] = []

    @property
    def login(self) -> Login:
        """Return what leads a client of a registry here."""
        return Login(url=f"http://127.0.0.1:{self.server_address[1]}")


class _PageHandler(QuietHandler):
    server: Answering

    def do_GET(self) -> None:
        """Send the page of a path."""
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, headers, body = self.server.pages.get(self.path, (404, {}, b"{}"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Webhook(HTTPServer):
    """A target of alerts that keeps what it was told."""

    def __init__(self, port: int = 0) -> None:
        """Listen on loopback; 0 takes a free port."""
        super().__init__(("127.0.0.1", port), _WebhookHandler)
        self.told: list[Any] = []


class _WebhookHandler(QuietHandler):
    server: Webhook

    def do_POST(self) -> None:
        """Keep the JSON of a body."""
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
