"""The feed of alerts at /alerts/, and an operator's mute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from tracing.models import Alert, AlertMute
from tracing.retry import audit
from tracing.web.alerts import present
from tracing.web.retries.views import operator

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """Show the alerts, the newest first."""
    before = request.GET.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    return render(request, "tracing/alerts.html", present.feed(number))


@require_POST
def mute(request: HttpRequest) -> HttpResponse:
    """Let a group alert nobody any more; with `on` empty, take that back."""
    by = operator(request)
    subject = request.POST.get("subject", "")[:40]
    alert = Alert.objects.filter(subject=subject).order_by("-id").first()
    if alert is None:
        return redirect("alerts")
    if request.POST.get("on"):
        AlertMute.objects.get_or_create(
            subject=subject, defaults={"made_by": by, "made_at": timezone.now()}
        )
        Alert.objects.filter(subject=subject, deliver_at__isnull=False).update(
            deliver_at=None, muted=True
        )
    else:
        AlertMute.objects.filter(subject=subject).delete()
    what = "mute" if request.POST.get("on") else "unmute"
    audit.write(who=by, what=what, target=f"alerts of {alert.title}", url=alert.url)
    return redirect("alerts")
