"""What pages and scripts read. Every function is bounded and answered from an index."""

from __future__ import annotations

from tracing.projections.event_reading import (
    EventPage,
    StoredEvent,
    events_at,
    find_events,
    list_events,
)
from tracing.projections.flow_graph import FlowDetail, Link, find_flow, read_flow
from tracing.projections.flow_reading import (
    DISPLAY_STATES,
    BadCursorError,
    FlowFilter,
    FlowLine,
    FlowPage,
    display_state,
    flow_lines,
    flow_totals,
    line_matches,
    list_flows,
)
from tracing.projections.log_reading import Change, Head, changes, head, known_names
from tracing.projections.record_reading import (
    StoredRecord,
    decode_stored,
    payloads_of,
    stored_record,
    stored_records,
)
from tracing.projections.search import Hit, search

__all__ = [
    "DISPLAY_STATES",
    "BadCursorError",
    "Change",
    "EventPage",
    "FlowDetail",
    "FlowFilter",
    "FlowLine",
    "FlowPage",
    "Head",
    "Hit",
    "Link",
    "StoredEvent",
    "StoredRecord",
    "changes",
    "decode_stored",
    "display_state",
    "events_at",
    "find_events",
    "find_flow",
    "flow_lines",
    "flow_totals",
    "head",
    "known_names",
    "line_matches",
    "list_events",
    "list_flows",
    "payloads_of",
    "read_flow",
    "search",
    "stored_record",
    "stored_records",
]
