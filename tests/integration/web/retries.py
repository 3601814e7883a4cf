"""Retries as the pages ask for them."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.integration.log import record
from tracing.models import RetryRun


def start(browser: Client, **fields: str) -> RetryRun:
    """Start a run by the form and return it."""
    form = {"kind": "replay", "flow": "o-1", "reason": "it was down", "rate": "5", "token": "t"}
    response = browser.post("/retries/", {**form, **fields})
    assert response.status_code == 302, response.content.decode()
    return RetryRun.objects.get(id=response["Location"].rpartition("/")[2])


def dead(event_id: str, *headers: tuple[str, bytes | None], topic: str = "orders") -> Any:
    """Return a dead letter of the topic."""
    said = (
        ("kafka_dlt-original-topic", topic.encode()),
        ("kafka_dlt-exception-fqcn", b"com.acme.NoStock"),
        ("kafka_dlt-exception-message", b"no stock"),
    )
    return record(event_id, topic=f"{topic}-dlt", headers=(*said, *headers))
