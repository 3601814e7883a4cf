"""What a topic is for: ordinary events, copies that wait to be tried again, dead letters."""

from __future__ import annotations

import enum
import fnmatch
import functools
import re

import msgspec


class TopicRole(enum.IntEnum):
    """What the records of a topic are. The order is that of a better claim to be *the* event."""

    ORDINARY = 0
    RETRY = 1
    DEAD_LETTER = 2


class TopicKind(msgspec.Struct, frozen=True):
    """A topic's role; where its name tells, the topic that it belongs to and which attempt."""

    role: TopicRole
    of: str | None = None
    attempt: int | None = None


class TopicRoles(msgspec.Struct, frozen=True):
    """Topics that are named by the settings: names or shell patterns, before the table below.

    One that begins with `!` says that a topic is ordinary, whatever its name looks like.
    """

    dead_letters: tuple[str, ...] = ()
    retries: tuple[str, ...] = ()


NO_ROLES = TopicRoles()
ORDINARY = TopicKind(TopicRole.ORDINARY)
# A number behind `retry` that is larger is a delay in milliseconds.
MAX_ATTEMPT = 100

_DEAD_LETTER = tuple(
    re.compile(pattern)
    for pattern in (
        # Spring (`-dlt`, before 3.3 `.DLT`), Uber and this project's shop (`.dlq`), everybody else.
        r"(?P<of>.+?)[-._](?:dlt|dlq|DLT|DLQ)$",
        r"(?:dlt|dlq|DLT|DLQ)[-._](?P<of>.+)$",
        r"(?:dlt|dlq|DLT|DLQ)$",
        # SmallRye names the channel, not the topic.
        r"dead-letter-topic-.+$",
        r"(?P<of>.+?)[-._]dead[-._]?letters?(?:[-._](?:queue|topic))?$",
        r"dead[-._]?letters?(?:[-._](?:queue|topic))?$",
        # Spring Cloud Stream: `error.<destination>.<group>`.
        r"error\.(?P<of>.+)\.[^.]+$",
    )
)
_RETRY = tuple(
    re.compile(pattern)
    for pattern in (
        # Spring (`-retry`, `-retry-<index or delay>`), Uber and the shop (`.retry.<n>`).
        r"(?P<of>.+?)[-._]retry(?:[-._](?P<number>\d{1,12}))?$",
    )
)


@functools.lru_cache(maxsize=20_000)
def kind_of(topic: str, roles: TopicRoles = NO_ROLES) -> TopicKind:
    """Return what a topic is for: the settings decide, else its name."""
    named = {
        TopicRole.DEAD_LETTER: _said(topic, roles.dead_letters),
        TopicRole.RETRY: _said(topic, roles.retries),
    }
    for role, said in named.items():
        if said:
            return _named(topic, role)
    for role in named:
        found = _named(topic, role)
        if found.of is not None or _matches(topic, role):
            return ORDINARY if named[role] is False else found
    return ORDINARY


def _said(topic: str, patterns: tuple[str, ...]) -> bool | None:
    """Return what the settings say of a topic, None where they say nothing."""
    for pattern in patterns:
        if fnmatch.fnmatchcase(topic, pattern.removeprefix("!")):
            return not pattern.startswith("!")
    return None


def _matches(topic: str, role: TopicRole) -> bool:
    table = _DEAD_LETTER if role is TopicRole.DEAD_LETTER else _RETRY
    return any(pattern.match(topic) for pattern in table)


def _named(topic: str, role: TopicRole) -> TopicKind:
    """Return the kind of a topic of this role, with what its name adds."""
    for pattern in _DEAD_LETTER if role is TopicRole.DEAD_LETTER else _RETRY:
        match = pattern.match(topic)
        if match is not None:
            parts = match.groupdict()
            number = int(parts.get("number") or 0)
            attempt = number if 0 < number <= MAX_ATTEMPT else None
            return TopicKind(role, parts.get("of"), attempt)
    return TopicKind(role)
