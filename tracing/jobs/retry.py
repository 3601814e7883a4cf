"""The steps that send and follow what people had sent again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.conf import settings

from tracing.domain.errors import BrokerUnavailableError
from tracing.jobs.step import Step
from tracing.kafka.connection import PLAINTEXT, Security
from tracing.kafka.producer import Producer
from tracing.models import RetryItem, RetryRun
from tracing.retry import runs
from tracing.retry.following import Follower, waiting
from tracing.retry.letters import tally
from tracing.retry.sending import Sender

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

# One run of the step: short, so that its lease is short and a cancelled run ends at once.
BUDGET_S = 1.0
TICK_S = 0.05
TELL_EVERY_S = 0.5
TIMEOUT_MS = 3_000
# A record's key and headers beside its value.
ROOM_BYTES = 1024 * 1024
# Cancelled items a transaction.
CANCELLED = 2_000


class SendRetries(Step):
    """Lists, sends and ends runs, a second's worth at a time."""

    name = "send retries"
    every_s = 0.25
    # A process that died is replaced after this; sends that it left are doubts.
    lease_s = 8.0

    def __init__(self, servers: Sequence[str], security: Security = PLAINTEXT) -> None:
        """Connect to nothing yet."""
        self._servers = servers
        self._security = security
        self._producer: Producer | None = None
        self._senders: dict[UUID, Sender] = {}
        self._told_at = 0.0
        self._groups: set[int] = set()

    def wanted(self) -> bool:
        """Tell whether a run is open or was cancelled with items left: a look at an index."""
        return RetryRun.objects.filter(state__in=("planned", "running")).exists() or _left()

    def run(self) -> bool:
        """Work for a second. Raises BrokerUnavailableError, which the runs show."""
        deadline = time.monotonic() + BUDGET_S
        while time.monotonic() < deadline:
            drop_cancelled()
            for run in RetryRun.objects.filter(state="planned").order_by("asked_at")[:5]:
                runs.list_some(run)
            if not self._send(list(RetryRun.objects.filter(state="running")[:20])):
                return False
            time.sleep(TICK_S)
        return True

    def close(self) -> None:
        """Disconnect."""
        if self._producer is not None:
            self._producer.close()
        self._producer = None
        # Slowly again, when the broker is back.
        self._senders.clear()

    def _send(self, running: list[RetryRun]) -> bool:
        """Send what is due; return whether items wait, in these runs or in planned ones."""
        known = self._senders
        self._senders = {run.id: known.get(run.id) or Sender(run) for run in running}
        left = False
        for run in running:
            if not RetryItem.objects.filter(run=run, state="pending").exists():
                runs.refresh([run.id])
                tally(self._groups)
                self._groups.clear()
                continue
            left = True
            try:
                taken = self._senders[run.id].send_some(self._connected())
            except BrokerUnavailableError as error:
                self.close()
                RetryRun.objects.filter(id=run.id).update(error=f"{error} Trying again.")
                raise
            self._groups.update(item.group_id for item in taken if item.group_id is not None)
            if taken:
                self._tell(run)
        return left or RetryRun.objects.filter(state="planned").exists()

    def _tell(self, run: RetryRun) -> None:
        """Count what was sent, a few times a second: counting costs more the larger the run."""
        if time.monotonic() - self._told_at < TELL_EVERY_S:
            return
        self._told_at = time.monotonic()
        runs.refresh([run.id])
        tally(self._groups)
        self._groups.clear()

    def _connected(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(
                self._servers,
                self._security,
                client_id="eventviz-retry",
                timeout_ms=TIMEOUT_MS,
                # Whatever is stored whole can be sent: the broker decides what is too large.
                max_bytes=settings.EVENTVIZ_MAX_RECORD_BYTES + ROOM_BYTES,
            )
            RetryRun.objects.filter(state="running").exclude(error="").update(error="")
        return self._producer


class FollowRetries(Step):
    """Looks at what came of the records that were sent."""

    name = "follow retries"
    every_s = 0.5
    lease_s = 15.0

    def __init__(self) -> None:
        """Look at nothing yet."""
        self._follower = Follower()

    def wanted(self) -> bool:
        """Tell whether an item is followed: a look at an index."""
        return waiting()

    def run(self) -> bool:
        """Look at what is new; return whether there is more."""
        return self._follower.look()


def drop_cancelled() -> None:
    """End the items of cancelled runs that were never sent, in pieces."""
    for run in RetryRun.objects.filter(state="cancelled", finished_at=None)[:5]:
        ids = RetryItem.objects.filter(run=run, state="pending").values_list("id", flat=True)
        RetryItem.objects.filter(id__in=list(ids[:CANCELLED]), state="pending").update(
            state="cancelled"
        )
        runs.refresh([run.id])


def _left() -> bool:
    return RetryRun.objects.filter(state="cancelled", finished_at=None).exists()
