"""Wait in a test until an event was seen, instead of sleeping.

One file of the standard library, to be imported or copied: a test project gets no new dependency.
The asynchronous half speaks HTTP/1.1 itself, so a wait holds no thread and ends when cancelled.

    viz = Eventviz("http://127.0.0.1:8000", token="ev_...")
    event = viz.wait("StockReserved", fail="StockReservationFailed", orderId="ORD-1")
    event = await viz.wait_async("StockReserved", orderId="ORD-1", timeout_s=10)
"""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode, urlsplit

Event = dict[str, Any]
Types = str | list[str] | tuple[str, ...]

# Beyond the wait itself: for the network, and a server that is busy.
GRACE_S = 5.0


class WaitError(Exception):
    """No event came of a wait."""


class EventNotSeen(WaitError):  # noqa: N818
    """None of the events was stored in time."""


class EventFailed(WaitError):  # noqa: N818
    """An event of the `fail` types was stored; it is in `event`."""

    def __init__(self, event: Event) -> None:
        """Keep the event."""
        reason = f": {event['reason']}" if event.get("reason") else ""
        super().__init__(f"{event['type']}{reason}")
        self.event = event


class WaitRefused(WaitError):  # noqa: N818
    """eventviz did not wait: the question is wrong, the token too, or too many wait."""


class Eventviz:
    """A client of one eventviz."""

    def __init__(self, url: str = "http://127.0.0.1:8000", token: str = "") -> None:
        """Take the address of its pages; the demo needs no token."""
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def wait(
        self,
        types: Types,
        *,
        fail: Types = (),
        match: dict[str, str] | None = None,
        timeout_s: float = 5.0,
        after: int = 0,
        **fields: object,
    ) -> Event:
        """Return the event as soon as it is stored, at once if it is.

        `fields` and `match` (for names that are no Python) say which: payload fields, `key`,
        `correlation_id` or `event_id`. `after` is the `position` of an event seen before.
        Raises EventFailed, EventNotSeen, WaitRefused, and OSError when eventviz is not there.
        """
        target = self._target(types, fail, {**(match or {}), **fields}, timeout_s, after)
        request = urllib.request.Request(self._url + target, headers=self._headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=timeout_s + GRACE_S) as answer:  # noqa: S310
                return _event_of(200, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _event_of(error.code, error.read())

    async def wait_async(
        self,
        types: Types,
        *,
        fail: Types = (),
        match: dict[str, str] | None = None,
        timeout_s: float = 5.0,
        after: int = 0,
        **fields: object,
    ) -> Event:
        """As `wait`, on an event loop."""
        target = self._target(types, fail, {**(match or {}), **fields}, timeout_s, after)
        async with asyncio.timeout(timeout_s + GRACE_S):
            return _event_of(*await self._get(target))

    def _target(
        self, types: Types, fail: Types, match: dict[str, object], timeout_s: float, after: int
    ) -> str:
        query = [("type", name) for name in _listed(types)]
        query += [("fail", name) for name in _listed(fail)]
        query += [("match", f"{field}:{value}") for field, value in match.items()]
        query += [("timeout_ms", str(int(timeout_s * 1_000)))]
        query += [("after", str(after))] if after else []
        return f"/api/wait?{urlencode(query)}"

    async def _get(self, target: str) -> tuple[int, bytes]:
        url = urlsplit(self._url)
        secure = ssl.create_default_context() if url.scheme == "https" else None
        port = url.port or (443 if secure else 80)
        reader, writer = await asyncio.open_connection(url.hostname, port, ssl=secure)
        try:
            lines = [f"GET {url.path}{target} HTTP/1.1", f"Host: {url.netloc}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in self._headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
            status = (await reader.readline()).split(b" ")
            head = io.BytesIO(await reader.readuntil(b"\r\n\r\n"))
            length = int(http.client.parse_headers(head).get("Content-Length", 0))
            return int(status[1]), await reader.readexactly(length)
        finally:
            writer.close()


def _listed(types: Types) -> list[str]:
    return [types] if isinstance(types, str) else list(types)


def _event_of(status: int, body: bytes) -> Event:
    try:
        said: dict[str, Any] = json.loads(body)
    except ValueError:
        raise WaitRefused(f"{status} {body[:200]!r}") from None
    if status != 200:
        raise WaitRefused(str(said.get("error", status)))
    event: Event = said["event"]
    if said["status"] == "timeout":
        raise EventNotSeen("None of the events was stored in time.")
    if said["status"] == "failed":
        raise EventFailed(event)
    return event
