"""What a live list of events shows, tested against changes in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tracing.projections.reading import Change


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Equal type, service and topic; `text` in type, key, event or correlation id, in any case.

    Empty means all. The same rules as `reading.list_events`.
    """

    type: str = ""
    service: str = ""
    topic: str = ""
    text: str = ""

    def matches(self, change: Change) -> bool:
        """Tell whether a change is shown."""
        if self.type and change.type != self.type:
            return False
        if self.service and change.service != self.service:
            return False
        if self.topic and change.topic != self.topic:
            return False
        if not self.text:
            return True
        text = self.text.lower()
        fields = (change.type, change.key, change.event_id, change.correlation_id)
        return any(text in field.lower() for field in fields if field)
