"""How to produce a first event: a few lines for the clients that people have at hand."""

from __future__ import annotations

from typing import Any

from django.conf import settings


def first_event() -> dict[str, Any]:
    """Return the broker's address and a topic that is read, for `_first_event.html`."""
    return {
        "brokers": ",".join(settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS),
        "topic": topic_for(settings.EVENTVIZ_KAFKA_TOPICS),
    }


def topic_for(patterns: list[str]) -> str:
    """Return a topic name that the patterns read: `orders`, or as near to it as they allow."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    if not wanted or "*" in wanted:
        return "orders"
    plain = [pattern for pattern in wanted if not set(pattern) & set("*?[")]
    return plain[0] if plain else wanted[0].replace("*", "orders").replace("?", "x")
