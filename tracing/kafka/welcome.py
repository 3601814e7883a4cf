"""Try the door first: whether a broker answers and lets us in, and if not, why.

The clients themselves try again in silence until their time is over, keep the reason for
themselves, and leave a thread behind each time.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from kafka.errors import (
    AuthorizationError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from tracing.domain.errors import BrokerRefusedError, BrokerUnavailableError
from tracing.kafka import sockets
from tracing.kafka.connection import PLAINTEXT, BadSecurityError, Security
from tracing.kafka.oauth import TokenError

if TYPE_CHECKING:
    from collections.abc import Sequence

_REFUSALS = (
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
    AuthorizationError,
    TokenError,
    BadSecurityError,
)
_HUNG_UP = "It hung up while we signed in: name, password or mechanism is wrong."


def check_welcome(
    servers: Sequence[str], security: Security = PLAINTEXT, *, timeout_ms: int
) -> None:
    """Return once one of the `host:port` addresses let us in, with sign-in and TLS.

    Raises BrokerRefusedError when one did not want us, else BrokerUnavailableError.
    """
    sockets.install()
    refused = False
    reasons = []
    deadline = time.monotonic() + timeout_ms / 1_000
    for server in servers:
        left_ms = max(int((deadline - time.monotonic()) * 1_000), 100)
        error = _enter(server, security, timeout_ms=left_ms)
        if error is None:
            return
        refused = refused or _is_refusal(error)
        reasons.append(f"{server}: {_words(error)}")
    reason = "; ".join(reasons)
    if refused:
        raise BrokerRefusedError(reason)
    raise BrokerUnavailableError(reason)


def _enter(server: str, security: Security, *, timeout_ms: int) -> Exception | None:
    """Connect, once; return what went wrong."""
    try:
        # The system says at once, and in fewer words than the client, why nobody answers.
        host, _, port = server.rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout_ms / 1_000).close()
    except (OSError, ValueError, OverflowError) as error:
        return error
    try:
        options = security.options()
    except BadSecurityError as error:
        return error
    net = NetworkSelector()
    manager = KafkaConnectionManager(
        net,
        bootstrap_servers=[server],
        client_id="eventviz",
        request_timeout_ms=timeout_ms,
        **options,
    )

    async def enter(connection: Any) -> None:
        await connection

    try:
        (node,) = manager.cluster.bootstrap_brokers()
        connection = manager.get_connection(
            node.node_id, timeout_ms=timeout_ms, pop_on_close=False, refresh_metadata_on_err=False
        )
        manager.run(enter, connection)
    except KafkaConnectionError as lost:
        # A broker that refuses hangs up behind its answer, and the client may lose the answer.
        hung_up = security.mechanism and connection.broker_version_data is not None
        found: Exception = SaslAuthenticationFailedError(_HUNG_UP) if hung_up else lost
        return found
    except (KafkaError, OSError, ValueError, TokenError) as error:
        return error
    finally:
        manager.close()
        net.close()
    return None


def _is_refusal(error: Exception) -> bool:
    about_tls = any(isinstance(part, ssl.SSLError) for part in error.args)
    return isinstance(error, _REFUSALS) or about_tls or "Handshake failed" in str(error)


def _words(error: Exception) -> str:
    """Return the reason without the client's class names around it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error.args[0]) if error.args else str(error)
