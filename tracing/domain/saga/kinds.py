"""Commands, events and replies: what a message wants.

A command asks one service to do something, an event says what happened, a reply answers a command.
The first of these rules that applies decides: what a saga definition declares; a name that begins
with a verb in the imperative (`ReserveStock`, `payment.refund` does not count); the header
`message-kind: command | event | reply`; else it is an event.
"""

from __future__ import annotations

import enum
import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

HEADER = "message-kind"
_VERBS = (
    "Accept|Activate|Add|Allocate|Apply|Approve|Arrange|Assign|Authorise|Authorize|Begin|"
    "Bill|Block|Book|Cancel|Capture|Change|Charge|Check|Close|Complete|Confirm|Create|Credit|"
    "Deactivate|Debit|Decline|Delete|Deliver|Disable|Dispatch|Enable|Execute|Finish|Fulfil|"
    "Fulfill|Generate|Hold|Initiate|Invoice|Issue|Lock|Make|Mark|Notify|Open|Order|Pack|Pay|"
    "Place|Prepare|Process|Publish|Purchase|Refund|Reject|Release|Remove|Renew|Request|"
    "Reserve|Restock|Retry|Return|Reverse|Revert|Schedule|Send|Ship|Start|Stop|Submit|"
    "Suspend|Transfer|Undo|Unlock|Update|Validate|Verify|Void|Withdraw"
)
_IMPERATIVE = re.compile(rf"(?:{_VERBS})(?=[A-Z0-9_\-. ])")
# `OrderPlaced`, `ReserveStockFailed`, `PaymentDone`: something that was, whatever it begins with.
_PAST = re.compile(
    r"(?:ed|Paid|Sent|Made|Held|Done|Failure|Succeeded|Result|Reply|Response|Event)$"
)


class Kind(enum.StrEnum):
    """What a message is."""

    COMMAND = "command"
    EVENT = "event"
    REPLY = "reply"


def kind_of(
    event_type: str,
    *,
    commands: Collection[str] = (),
    replies: Collection[str] = (),
    header: str | None = None,
) -> Kind:
    """Return a message's kind; `commands` and `replies` are those that definitions declare."""
    if event_type in commands:
        return Kind.COMMAND
    if event_type in replies:
        return Kind.REPLY
    if imperative(event_type):
        return Kind.COMMAND
    said = (header or "").strip().lower()
    return Kind(said) if said in set(Kind) else Kind.EVENT


@functools.lru_cache(maxsize=10_000)
def imperative(event_type: str) -> bool:
    """Tell whether a type's name asks for something, version suffixes and packages aside."""
    name = re.sub(r"[._-]?[vV]\d+$", "", event_type)
    name = re.split(r"[.:/]", name)[-1].removesuffix("Command")
    if _PAST.search(name):
        return False
    return _IMPERATIVE.match(name) is not None or event_type.endswith("Command")
