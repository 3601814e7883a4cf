"""Changes for tests."""

from __future__ import annotations

from typing import Any

from tracing.projections.reading import Change


def change(position: int, **fields: str | None) -> Change:
    """Return a change whose fields have some value."""
    given: dict[str, Any] = {
        "correlation_id": "o-1",
        "type": "OrderPlaced",
        "service": "order-service",
        "topic": "orders",
        "event_id": f"e-{position}",
        "key": "ORD-1",
        **fields,
    }
    return Change(position=position, flow=1, partition=0, offset=position, part=0, **given)
