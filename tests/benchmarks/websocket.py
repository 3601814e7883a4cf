"""A websocket client of a few lines: RFC 6455 without extensions, for measuring."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from typing import Self

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class ClosedError(Exception):
    """The server closed the socket."""


class WebSocket:
    """One open socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over a connection whose handshake is done."""
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int, path: str) -> Self:
        """Open a socket of a page that this loopback server gave us."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        writer.write(handshake(port, path))
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in answer.split(b"\r\n", 1)[0]:
            raise ClosedError(answer.decode())
        return cls(reader, writer)

    async def receive(self) -> str:
        """Return the next text; pings are answered on the way."""
        message = b""
        while True:
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", await self._reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", await self._reader.readexactly(8))
            data = await self._reader.readexactly(length)
            code = first & 0x0F
            if code == CLOSE:
                raise ClosedError(str(int.from_bytes(data[:2], "big")))
            if code == PING:
                self._send(PONG, data)
            elif code != PONG:
                message += data
                if first & 0x80:
                    return message.decode()

    def send(self, text: str) -> None:
        """Send a text."""
        self._send(TEXT, text.encode())

    async def close(self) -> None:
        """Leave."""
        self._send(CLOSE, (1000).to_bytes(2, "big"))
        self._writer.close()
        await self._writer.wait_closed()

    def _send(self, code: int, data: bytes) -> None:
        self._writer.write(frame(code, data))


def handshake(port: int, path: str) -> bytes:
    """Return the request that opens a socket of a page of this loopback server."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    return "\r\n".join([*request, "", ""]).encode()


def frame(code: int, data: bytes) -> bytes:
    """Return a whole message of a client, of less than 64 KB, as it goes over the wire."""
    mask = os.urandom(4)
    if len(data) < 126:
        head = bytes([0x80 | code, 0x80 | len(data)])
    else:
        head = bytes([0x80 | code, 0x80 | 126]) + struct.pack(">H", len(data))
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
    return head + mask + masked
