"""Tell people by `apprise`: one address reaches mail, Slack, Teams, PagerDuty or a webhook."""

from __future__ import annotations

import datetime as dt
import hashlib

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
    """Tell each target that did not take it yet: one that is down lets no other hear it twice."""
    missing = 0
    for address in settings.EVENTVIZ_ALERT_URLS:
        target = _digest(address)
        if target in alert.told:
            continue
        if not _tell(alert, address):
            missing += 1
            continue
        alert.told.append(target)
        # At once: whoever dies here does not tell it again.
        alert.save(update_fields=["told"])
    now = timezone.now()
    alert.tries += 1
    if missing:
        wait_s = min(FIRST_WAIT_S * 2 ** min(alert.tries - 1, 10), LONGEST_WAIT_S)
        over = alert.tries >= MAX_TRIES
        alert.deliver_at = None if over else now + dt.timedelta(seconds=wait_s)
        alert.error = _error(missing, over=over)
    else:
        alert.deliver_at, alert.delivered_at, alert.error = None, now, ""
    alert.save(update_fields=["tries", "deliver_at", "delivered_at", "error"])


def _error(missing: int, *, over: bool) -> str:
    every = len(settings.EVENTVIZ_ALERT_URLS)
    who = "no target" if missing == every else f"only {every - missing} of {every} targets"
    return f"given up: {who} took it" if over else f"{who} took it yet"


def _digest(address: str) -> str:
    """Return what stands for an address, which may hold a secret."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def _tell(alert: Alert, address: str) -> bool:
    target = apprise.Apprise()
    target.add(address)
    link = f"{settings.EVENTVIZ_PUBLIC_URL}{alert.url}"
    kind = apprise.NotifyType.FAILURE
    body = f"{alert.text}\n{link}"
    return bool(
        target.notify(
            title=alert.title, body=body, notify_type=kind, body_format=apprise.NotifyFormat.TEXT
        )
    )
