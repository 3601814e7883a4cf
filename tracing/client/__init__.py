"""What users import into their own projects, or copy: nothing here imports the rest of eventviz."""

from __future__ import annotations

from tracing.client.waiting import EventFailed, EventNotSeen, Eventviz, WaitRefused

__all__ = ["EventFailed", "EventNotSeen", "Eventviz", "WaitRefused"]
