"""A text in parts that are many sockets' own, on its way to one of them.

The parts go from where they are into the kernel, in one call. Only what it does not take at once
waits in Twisted's buffers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# The type of such a message, and the name of the extension of ASGI that allows it.
PARTS = "websocket.send.parts"
# Of what waits, so much is written at one turn of the loop; Twisted's own limit is an eighth.
AT_ONCE = 1024 * 1024
# A whole message of text, unmasked, without extensions (RFC 6455, 5.2).
_TEXT = 0x81


def head(length: int) -> bytes:
    """Return what stands before a text of so many bytes."""
    if length < 126:
        return bytes((_TEXT, length))
    if length < 1 << 16:
        return bytes((_TEXT, 126)) + length.to_bytes(2, "big")
    return bytes((_TEXT, 127)) + length.to_bytes(8, "big")


def write(transport: Any, parts: Sequence[bytes]) -> None:
    """Write all of it in this order, behind whatever still waits for this connection."""
    sent = _send(transport, parts) if _has_room(transport) else 0
    rest = left(parts, sent)
    if rest:
        transport.SEND_LIMIT = AT_ONCE
        transport.writeSequence(rest)


def left(parts: Sequence[bytes], sent: int) -> list[bytes]:
    """Return what is left of these parts behind so many bytes."""
    for index, part in enumerate(parts):
        if sent < len(part):
            return [part[sent:], *parts[index + 1 :]]
        sent -= len(part)
    return []


def _has_room(transport: Any) -> bool:
    """Tell whether nothing waits: a connection of plain bytes whose buffers are empty."""
    return (
        getattr(transport, "TLS", True) is False
        and transport.connected
        and not transport.disconnecting
        and not transport.dataBuffer
        and not transport._tempDataBuffer  # noqa: SLF001
    )


def _send(transport: Any, parts: Sequence[bytes]) -> int:
    try:
        sent: int = transport.getHandle().sendmsg(parts)
    except OSError:
        # Full, or gone: Twisted finds out by itself, and does what is to be done then.
        return 0
    return sent
