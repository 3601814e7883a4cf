"""What the orchestrator does next: a pure function of the saga and the reply that it got."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from tracing.demo.events import COMMANDS, COMPLETED, SUBMITTED
from tracing.demo.publishing import Payload


class State(enum.StrEnum):
    """How far a saga came."""

    PENDING = "PENDING"
    STOCK_RESERVED = "STOCK_RESERVED"
    PAYMENT_PROCESSED = "PAYMENT_PROCESSED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class Saga(msgspec.Struct, frozen=True, kw_only=True):
    """One order's saga.

    Its state says how far it came; `undo` are the commands that still have to undo that, the first
    of them sent and not yet answered. `payload` is what every command carries.
    """

    state: State
    undo: tuple[str, ...] = ()
    payload: Payload


class Step(msgspec.Struct, frozen=True):
    """A saga after a message, and what is said next: a command, OrderCompleted, or nothing."""

    saga: Saga
    say: str | None


# In each state: the command that is out, and the state that its success leads to.
FORWARD: Final = {
    State.PENDING: ("ReserveStock", State.STOCK_RESERVED),
    State.STOCK_RESERVED: ("ProcessPayment", State.PAYMENT_PROCESSED),
    State.PAYMENT_PROCESSED: ("CreateShipment", State.COMPLETED),
}
# What undoes each state when its next step fails, last first.
COMPENSATIONS: Final = {
    State.PAYMENT_PROCESSED: ("RefundPayment", "ReleaseStock", "CancelOrder"),
    State.STOCK_RESERVED: ("ReleaseStock", "CancelOrder"),
    State.PENDING: ("CancelOrder",),
}
ENDED: Final = (State.COMPLETED, State.CANCELLED)
# What later commands tell of earlier replies.
_KEPT: Final = ("reason", "paymentId", "trackingNumber")


def begin(payload: Payload) -> Step:
    """Return a new saga and its first command."""
    return Step(Saga(state=State.PENDING, payload=payload), FORWARD[State.PENDING][0])


def waits_for(saga: Saga) -> str | None:
    """Return the command whose reply is awaited, None at the end."""
    if saga.undo:
        return saga.undo[0]
    return FORWARD[saga.state][0] if saga.state in FORWARD else None


def answers() -> list[tuple[str, str]]:
    """Return in words what it hears and what it says then, step by step, for the shop's page."""
    told = [(SUBMITTED, FORWARD[State.PENDING][0])]
    for command, state in FORWARD.values():
        following = FORWARD[state][0] if state in FORWARD else COMPLETED
        told.append((COMMANDS[command][0], following))
    return told


def react(saga: Saga, reply: str, payload: Payload) -> Step | None:
    """Return what a reply leads to; None if it is not awaited.

    So a reply that comes twice, late or after the end changes nothing. A compensation that failed
    leaves the saga where it is: when somebody has it done after all, its success goes on from here.
    """
    command = waits_for(saga)
    if command is None or reply not in COMMANDS[command]:
        return None
    succeeded = reply == COMMANDS[command][0]
    if saga.undo and not succeeded:
        return None
    kept = {name: payload[name] for name in _KEPT if name in payload}
    saga = msgspec.structs.replace(saga, payload=saga.payload | kept)
    if saga.undo:
        return _undo(saga, saga.undo[1:])
    if not succeeded:
        return _undo(saga, COMPENSATIONS[saga.state])
    state = FORWARD[saga.state][1]
    say = COMPLETED if state is State.COMPLETED else FORWARD[state][0]
    return Step(msgspec.structs.replace(saga, state=state), say)


def _undo(saga: Saga, commands: tuple[str, ...]) -> Step:
    if commands:
        return Step(msgspec.structs.replace(saga, undo=commands), commands[0])
    return Step(msgspec.structs.replace(saga, undo=(), state=State.CANCELLED), None)
