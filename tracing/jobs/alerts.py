"""The step that watches dead letters and sagas, and tells people."""

from __future__ import annotations

import time

from django.conf import settings

from tracing.alerts.delivering import check_addresses, deliver_some
from tracing.alerts.sagas import watch_sagas
from tracing.alerts.watching import watch
from tracing.jobs.step import Step


class TellAlerts(Step):
    """Stores what is new to say, and delivers what is due."""

    name = "alerts"
    every_s = 2.0
    # A target that does not answer may hold it up for a while.
    lease_s = 120.0

    def __init__(self) -> None:
        """Check the addresses. Raises BadAlertAddressError."""
        check_addresses()

    def run(self) -> bool:
        """Look once; return whether there is more to deliver."""
        now_ms = time.time_ns() // 1_000_000
        watch(now_ms)
        watch_sagas(now_ms)
        return deliver_some() if settings.EVENTVIZ_ALERT_URLS else False
