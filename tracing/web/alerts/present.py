"""What the feed of alerts shows; the page and the socket use the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings
from django.template.loader import render_to_string

from tracing.models import Alert, AlertMute
from tracing.web.context import now_ms
from tracing.web.present import Sign, signs
from tracing.web.query import address

if TYPE_CHECKING:
    from datetime import datetime

PAGE = 100
SIGNS = signs(
    Sign("new", "✕", "new", "fail", "a group of failures that was not there before"),
    Sign("regressed", "↻", "regressed", "fail", "it was resolved and came back"),
    Sign("rate", "!", "many", "late", "many messages failed within an hour"),
    Sign("old", "◷", "old", "late", "it waits for longer than it should"),
    Sign("stuck", "!", "stuck", "late", "a saga is past a timeout, and nothing moves"),
    Sign("not-undone", "∅", "not undone", "fail", "a compensation of a saga failed"),
)


class AlertRow(msgspec.Struct, frozen=True):
    """An alert as one line."""

    alert: Alert
    sign: Sign
    at_ms: int
    told: str
    muted: bool


def feed(before: int | None) -> dict[str, Any]:
    """Return what /alerts/ shows. Two queries."""
    query = Alert.objects.order_by("-id")
    if before is not None:
        query = query.filter(id__lt=before)
    found = list(query[: PAGE + 1])
    shown = found[:PAGE]
    muted = set(
        AlertMute.objects.filter(subject__in={one.subject for one in shown}).values_list(
            "subject", flat=True
        )
    )
    following = {"before": str(shown[-1].id)} if len(found) > PAGE else {}
    return {
        "rows": [
            AlertRow(one, SIGNS[one.kind], _ms(one.at), _told(one), one.subject in muted)
            for one in shown
        ],
        "next": address("/alerts/", following) if following else "",
        "delivers": bool(settings.EVENTVIZ_ALERT_URLS),
        "now_ms": now_ms(),
        "here": "alerts",
    }


def fragment() -> str:
    """Return the live part of /alerts/ for the socket."""
    return render_to_string("tracing/partials/_alerts.html", {**feed(None), "oob": True})


def _told(alert: Alert) -> str:
    if alert.delivered_at:
        return "delivered"
    if alert.muted:
        return "muted"
    if alert.deliver_at:
        return f"{alert.error}, tried again soon" if alert.tries else "on its way"
    return alert.error or "shown here"


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1_000)
