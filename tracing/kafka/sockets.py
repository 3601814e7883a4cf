"""Let kafka-python close the socket of a connection that does not come about.

The client (3.0.12, `kafka.net`) makes a socket for each attempt and forgets it when nobody listens,
when the time is over, or when the client is closed meanwhile; its TLS transport does when the
handshake fails. The collector closes them some time later: until then they count against the limit
of open files, and a test that runs at that moment is told of them.
"""

from __future__ import annotations

import functools
from typing import Any

from kafka.net.inet import KafkaNetSocket
from kafka.net.transport import KafkaSSLTransport


@functools.cache
def install() -> None:
    """Teach the client; once in a process."""
    connect = KafkaNetSocket.sock_connect

    async def sock_connect(
        self: Any, net: Any, sock: Any, sockaddr: Any, timeout_at: float | None = None
    ) -> Any:
        try:
            return await connect(self, net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:
            # Cancelled, too: the client throws GeneratorExit in where it waits.
            sock.close()
            raise

    KafkaNetSocket.sock_connect = sock_connect
    shake_hands = KafkaSSLTransport.handshake

    async def handshake(self: Any) -> None:
        try:
            await shake_hands(self)
        except BaseException as error:
            self.abort(error)
            raise

    KafkaSSLTransport.handshake = handshake
