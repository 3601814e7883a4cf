"""What a type's name says: failed, compensating, ended. Names, never payloads."""

from __future__ import annotations

import enum
import functools
import re

_FAILED = re.compile(
    r"(Failed|Failure|Rejected|Refused|Declined|Denied|Expired|TimedOut|Aborted|Errored|Error)$",
    re.I,
)
_COMPENSATION = re.compile(
    r"(Released|Cancelled|Canceled|Refunded|Reversed|Reverted|Compensated|Voided|RolledBack"
    r"|Withdrawn)$",
    re.I,
)
_END = re.compile(
    r"(Completed|Finished|Closed|Ended|Succeeded|Fulfilled|Delivered|Cancelled|Canceled)$", re.I
)


class Role(enum.IntFlag):
    """What an event of some type does in its flow."""

    PLAIN = 0
    FAILED = 1
    COMPENSATION = 2
    END = 4


@functools.lru_cache(maxsize=10_000)
def role(event_type: str) -> Role:
    """Return the role by the type's last word, version suffixes (`.v2`, `V2`) aside."""
    name = re.sub(r"[._-]?[vV]\d+$", "", event_type)
    found = Role.PLAIN
    if _FAILED.search(name):
        found |= Role.FAILED
    if _COMPENSATION.search(name):
        found |= Role.COMPENSATION
    if _END.search(name):
        found |= Role.END
    return found
