"""What a type says: failed, compensating, ended. By names and saga definitions, never payloads."""

from __future__ import annotations

import enum
import functools
import re

import msgspec

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


class Roles(msgspec.Struct, frozen=True, cache_hash=True):
    """What definitions of sagas say of types, beside what their names say."""

    failed: frozenset[str] = frozenset()
    undone: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()

    def of(self, event_type: str) -> Role:
        """Return what events of a type do in their flow."""
        found = _by_name(event_type)
        if event_type in self.failed:
            found |= Role.FAILED
        if event_type in self.undone:
            found |= Role.COMPENSATION
        if event_type in self.ended:
            found |= Role.END
        return found


# What types say where nobody declared a saga.
BY_NAME = Roles()


@functools.lru_cache(maxsize=10_000)
def _by_name(event_type: str) -> Role:
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
