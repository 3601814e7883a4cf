"""From other pages to the sagas of a flow."""

from __future__ import annotations

import msgspec

from tracing.projections.saga_reading import sagas_of_flows
from tracing.web.present import Sign
from tracing.web.sagas.looks import stand_of

PATH = "/sagas/"


class SagaLink(msgspec.Struct, frozen=True):
    """One saga of a flow: its name, its state, how it stands."""

    url: str
    definition: str
    state: str
    sign: Sign


def links_of(flow_id: int, *, now_ms: int) -> list[SagaLink]:
    """Return the sagas that have an event in a flow. Up to four look-ups by key."""
    return [
        SagaLink(
            f"{PATH}{line.id}",
            line.definition,
            line.state,
            stand_of(
                line.phase,
                line.timeout_at_ms,
                line.stuck_from_ms,
                now_ms,
                {one.flag for one in line.flags},
            ),
        )
        for line in sagas_of_flows([flow_id])
    ]
