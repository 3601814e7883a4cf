"""Which groups of dead letters are worth an alert, and its words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR_MS = 3_600_000


class Limits(msgspec.Struct, frozen=True):
    """From how many in an hour on, and from what age on, something is said; 0: never."""

    rate_per_hour: int
    age_ms: int


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """A group as the rules see it. `state` is what somebody decided, '' for a new one.

    `open` counts messages that neither recovered nor were put aside; `attempts` are those made
    for the newest message, None where its headers do not say.
    """

    id: int
    key: str
    name: str
    where: str
    consumer: str = ""
    state: str
    open: int
    attempts: int | None
    first_ms: int
    last_ms: int
    last_ms_then: int
    in_this_hour: int


class Said(msgspec.Struct, frozen=True):
    """An alert before it is stored."""

    kind: str
    cause: str
    title: str
    text: str


def alerts_of(group: GroupState, limits: Limits, *, now_ms: int) -> Iterator[Said]:
    """Yield what is to be said of a group; a `cause` that was said before is said no more."""
    if group.state == "ignored":
        return
    if group.state == "resolved":
        if group.last_ms > group.last_ms_then:
            words = f"Came back after it was resolved: {group.name}"
            yield _said("regressed", f"{group.last_ms_then}", words, group)
        else:
            return
    if not group.state:
        yield _said("new", "", f"{_failed(group)}: {group.name}", group)
    if limits.rate_per_hour and group.in_this_hour >= limits.rate_per_hour:
        words = f"{group.in_this_hour:,} messages failed within an hour: {group.name}"
        yield _said("rate", f"{now_ms // HOUR_MS}", words, group)
    if limits.age_ms and group.open and now_ms - group.first_ms > limits.age_ms:
        words = f"Waits for {_age(now_ms - group.first_ms)}: {group.name}"
        yield _said("old", f"{group.first_ms}", words, group)


def _said(kind: str, cause: str, title: str, group: GroupState) -> Said:
    count = f"{group.open:,} message{'' if group.open == 1 else 's'} open"
    text = f"{group.name}\n{group.where}\n{count}"
    return Said(kind, f"{kind}:{group.id}:{cause}", title[:200], text)


def _failed(group: GroupState) -> str:
    told = f"{group.consumer or 'Message'} failed"
    if not group.attempts or group.attempts < 2:
        return told
    retries = group.attempts - 1
    return f"{told} after {retries} {'retry' if retries == 1 else 'retries'}"


def _age(ms: int) -> str:
    hours = ms // HOUR_MS
    if hours < 1:
        return f"{ms // 60_000} min"
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"
