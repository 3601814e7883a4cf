"""A connection on which a cluster is asked about itself, in our errors."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tracing.domain.errors import BrokerUnavailableError
from tracing.kafka.connection import PLAINTEXT, Security
from tracing.kafka.welcome import check_welcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class AdminConnection:
    """What asks a cluster builds on this. Every method raises BrokerUnavailableError."""

    client: ClassVar[Any] = KafkaAdminClient
    # What the client raises where it means that it got no usable answer.
    failures: ClassVar[tuple[type[Exception], ...]] = (KafkaError,)

    def __init__(
        self,
        servers: Sequence[str],
        security: Security = PLAINTEXT,
        *,
        timeout_ms: int = 5_000,
    ) -> None:
        """Connect. Raises BrokerRefusedError when the broker does not let us in."""
        self._servers = ", ".join(servers)
        check_welcome(servers, security, timeout_ms=timeout_ms)
        with self._translated():
            self._admin = self.client(
                bootstrap_servers=list(servers),
                bootstrap_timeout_ms=timeout_ms,
                request_timeout_ms=timeout_ms,
                client_id="eventviz",
                **security.options(),
            )

    def close(self) -> None:
        """Disconnect."""
        with contextlib.suppress(KafkaError):
            self._admin.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self.failures as error:
            raise BrokerUnavailableError(f"{self._servers}: {error}") from error
