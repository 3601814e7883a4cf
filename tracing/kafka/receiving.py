"""Let kafka-python receive in pieces that suit a fetch of megabytes.

The client (3.0.12, `kafka.net`) asks its socket for 4 KB at a time until nothing is there, joins
what came, and copies the answer's records twice once it is whole: for a fetch of 6 MB that is 1,500
calls that each give up and take the interpreter's lock, and six copies of it in memory.
"""

from __future__ import annotations

import functools
import ssl
from typing import Any

from kafka.errors import KafkaConnectionError
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport
from kafka.protocol.frame import KafkaBytes

# Below glibc's limit for mappings of their own: the pages stay with the process.
PIECE_BYTES = 128 * 1024
PIECES = 8


@functools.cache
def install() -> None:
    """Teach the client; once in a process."""
    KafkaTCPTransport._sock_recv = _received  # noqa: SLF001 - there is no public way
    KafkaSSLTransport._sock_recv = _received  # noqa: SLF001
    KafkaBytes.read = _read


def _received(self: Any) -> tuple[bytes, Exception | None]:
    """Return what the socket has, `PIECES` at most: more would be there three times at once.

    Of TLS all of it, as nobody could see later that some is left.
    """
    found: list[bytes] = []
    error: Exception | None = None
    while error is None and (len(found) < PIECES or isinstance(self._sock, ssl.SSLSocket)):
        try:
            data = self._sock.recv(PIECE_BYTES)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            break
        except OSError as trouble:
            error = KafkaConnectionError(trouble)
        else:
            found.append(data)
            error = None if data else KafkaConnectionError("socket disconnected")
    return b"".join(found), error


def _read(self: Any, nbytes: int | None = None) -> bytes | memoryview:
    """Return the bytes that follow, copied once; the rest as it lies, until it is decoded."""
    start = self._idx
    end = len(self) if nbytes is None else min(start + nbytes, len(self))
    self._idx = end
    if nbytes is None:
        return memoryview(self)[start:]
    with memoryview(self) as whole:
        return bytes(whole[start:end])
