"""How to produce a first event: a few lines for the clients that people have at hand."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "eventviz-test"
_WILD = set("*?[")


def first_event() -> dict[str, Any]:
    """Return the broker's address and a topic that is read, for `_first_event.html`.

    `made` says that the topic is one for trying: sending makes it, and nobody else reads it.
    """
    patterns = settings.EVENTVIZ_KAFKA_TOPICS
    topic = topic_for(patterns)
    return {
        "brokers": ",".join(settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS),
        "topic": topic,
        "made": topic not in patterns,
    }


def topic_for(patterns: Sequence[str]) -> str:
    """Return a topic that the patterns read: one for trying, where they leave room for it.

    Where all topics are named, it is the first of them.
    """
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    without = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    for pattern in sorted(wanted, key=lambda pattern: pattern != "*"):
        topic = _filled(pattern) if _WILD & set(pattern) else ""
        excluded = any(fnmatchcase(topic, other) for other in without)
        if topic and fnmatchcase(topic, pattern) and not excluded:
            return topic
    return next((pattern for pattern in wanted if not _WILD & set(pattern)), NAME)


def _filled(pattern: str) -> str:
    """Return a name for trying that a pattern matches: `billing*` gives `billing-eventviz-test`."""
    plain = re.sub(r"\[!?(.)[^]]*\]", r"\1", pattern).replace("?", "x")
    before, _, after = plain.partition("*")
    glue = "-" if before[-1:].isalnum() else ""
    end = "-" if after[:1].isalnum() else ""
    return f"{before}{glue}{NAME}{end}{after.replace('*', '')}"
