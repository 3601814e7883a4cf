"""Alerts: once per cause, delivered to a local webhook, tried again while it is down, muted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.integration.log import NOW_MS, record, write
from tests.integration.people import browser_of, somebody
from tests.servers.answering import Webhook, serving
from tests.servers.processes import free_port
from tracing.alerts.delivering import BadAlertAddressError, check_addresses
from tracing.alerts.watching import watch
from tracing.jobs.alerts import TellAlerts
from tracing.models import Alert, AlertMute, AuditEntry, DeadLetterGroup, GroupDecision
from tracing.web.access import Role

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
FAILED = (
    ("kafka_dlt-original-topic", b"orders"),
    ("kafka_dlt-exception-fqcn", b"com.acme.NoStock"),
    ("kafka_dlt-exception-message", b"no stock"),
)


@pytest.fixture
def port(settings: Settings) -> int:
    """Return the port of the target, where nobody listens yet."""
    found = free_port()
    settings.EVENTVIZ_ALERT_URLS = [f"json://127.0.0.1:{found}/"]
    settings.EVENTVIZ_PUBLIC_URL = "https://events.example"
    return found


@pytest.fixture
def webhook(port: int) -> Iterator[Webhook]:
    """Return the target, listening."""
    with serving(Webhook(port)) as made:
        yield made


def fail(count: int = 1, **fields: Any) -> None:
    """Let messages die in one group, all at this moment."""
    dead = {
        "topic": "orders-dlt",
        "headers": FAILED,
        "at_ms": time.time_ns() // 1_000_000,
        **fields,
    }
    write(*(record(f"e-{n}", **dead) for n in range(count)))


def test_a_new_group_is_told_once_with_its_link(webhook: Webhook) -> None:
    fail(3)
    step = TellAlerts()

    for _ in range(3):
        step.run()

    (told,) = webhook.told
    alert = Alert.objects.get()
    assert told["title"] == "Message failed: NoStock: no stock"
    assert f"https://events.example{alert.url}" in told["message"]
    assert "3 messages open" in told["message"]
    assert (alert.kind, alert.tries) == ("new", 1)
    assert alert.delivered_at is not None


def test_a_target_that_is_down_is_tried_again(port: int) -> None:
    fail()
    step = TellAlerts()
    step.run()
    waiting = Alert.objects.get()
    assert (waiting.tries, waiting.delivered_at) == (1, None)
    assert waiting.deliver_at is not None
    assert waiting.deliver_at > timezone.now()

    with serving(Webhook(port)) as webhook:
        step.run()
        assert webhook.told == []
        Alert.objects.update(deliver_at=timezone.now())
        step.run()

    assert len(webhook.told) == 1
    assert Alert.objects.get().delivered_at is not None


def test_one_that_is_down_lets_no_other_hear_it_twice(webhook: Webhook, settings: Settings) -> None:
    late = free_port()
    settings.EVENTVIZ_ALERT_URLS = [*settings.EVENTVIZ_ALERT_URLS, f"json://127.0.0.1:{late}/"]
    fail()
    step = TellAlerts()
    step.run()
    waiting = Alert.objects.get()
    assert waiting.error == "only 1 of 2 targets took it yet"

    with serving(Webhook(late)) as other:
        Alert.objects.update(deliver_at=timezone.now())
        step.run()

    assert (len(webhook.told), len(other.told)) == (1, 1)
    told = Alert.objects.get()
    assert told.delivered_at is not None
    assert str(late) not in str(told.told)


def test_it_works_without_any_setting() -> None:
    fail()

    TellAlerts().run()

    assert Alert.objects.get().deliver_at is None


def test_one_that_regressed_many_and_old_ones_are_told(settings: Settings) -> None:
    settings.EVENTVIZ_ALERT_RATE = 5
    fail(6, at_ms=NOW_MS)
    group = DeadLetterGroup.objects.get()
    GroupDecision.objects.create(
        group_id=group.id,
        fingerprint=group.fingerprint,
        state="resolved",
        decided_by="ada",
        decided_at=timezone.now(),
        last_ms_then=group.last_ms - 1,
    )

    watch(NOW_MS)
    watch(NOW_MS + 25 * 3_600_000)

    kinds = sorted(Alert.objects.values_list("kind", flat=True))
    assert kinds == ["old", "rate", "regressed"]


def test_an_operator_mutes_a_group(webhook: Webhook) -> None:
    operator = browser_of(somebody("grace", Role.OPERATOR))
    fail()
    watch(NOW_MS)
    alert = Alert.objects.get()

    operator.post("/alerts/mute", {"subject": alert.subject, "on": "1"})
    TellAlerts().run()

    assert webhook.told == []
    assert "muted" in operator.get("/alerts/").content.decode()
    assert AuditEntry.objects.get().what == "mute"
    operator.post("/alerts/mute", {"subject": alert.subject})
    assert not AlertMute.objects.exists()


def test_a_viewer_reads_the_feed_and_mutes_nothing(client: Client) -> None:
    client.force_login(somebody())
    fail()
    watch(NOW_MS)

    text = client.get("/alerts/").content.decode()

    assert "Message failed: NoStock: no stock" in text
    assert "Mute…" not in text
    assert client.post("/alerts/mute", {"subject": "1", "on": "1"}).status_code == 403


def test_an_address_that_is_none_is_refused_without_being_shown(settings: Settings) -> None:
    settings.EVENTVIZ_ALERT_URLS = ["json://127.0.0.1", "nonsense://secret"]

    with pytest.raises(BadAlertAddressError, match="number 2") as caught:
        check_addresses()
    assert "secret" not in str(caught.value)
