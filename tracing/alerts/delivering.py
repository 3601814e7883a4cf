"""Tell people by `apprise`: one address reaches mail, Slack, Teams, PagerDuty or a webhook."""

from __future__ import annotations

import datetime as dt

import apprise
from django.conf import settings
from django.utils import timezone

from tracing.domain.errors import EventvizError
from tracing.models import Alert

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 600.0
# With growing waits: a day and a half.
MAX_TRIES = 220
AT_ONCE = 10


class BadAlertAddressError(EventvizError):
    """An address in EVENTVIZ_ALERT_URLS is none that apprise knows."""


def check_addresses() -> None:
    """Raise BadAlertAddressError, by its number: an address may hold a secret."""
    for number, address in enumerate(settings.EVENTVIZ_ALERT_URLS, start=1):
        if not apprise.Apprise().add(address):
            raise BadAlertAddressError(f"It is number {number}.")


def deliver_some() -> bool:
    """Deliver what is due; return whether more may be. A target that is down is tried again."""
    due = list(
        Alert.objects.filter(deliver_at__lte=timezone.now()).order_by("deliver_at")[:AT_ONCE]
    )
    for alert in due:
        _deliver(alert)
    return len(due) == AT_ONCE


def _deliver(alert: Alert) -> None:
    told = _tell(alert)
    now = timezone.now()
    alert.tries += 1
    if told:
        alert.deliver_at, alert.delivered_at, alert.error = None, now, ""
    else:
        wait_s = min(FIRST_WAIT_S * 2 ** min(alert.tries - 1, 10), LONGEST_WAIT_S)
        over = alert.tries >= MAX_TRIES
        alert.deliver_at = None if over else now + dt.timedelta(seconds=wait_s)
        alert.error = "given up: no target took it" if over else "no target took it yet"
    alert.save(update_fields=["tries", "deliver_at", "delivered_at", "error"])


def _tell(alert: Alert) -> bool:
    targets = apprise.Apprise()
    for address in settings.EVENTVIZ_ALERT_URLS:
        targets.add(address)
    link = f"{settings.EVENTVIZ_PUBLIC_URL}{alert.url}"
    kind = apprise.NotifyType.FAILURE
    body = f"{alert.text}\n{link}"
    return bool(
        targets.notify(
            title=alert.title, body=body, notify_type=kind, body_format=apprise.NotifyFormat.TEXT
        )
    )
