"""Dead letters as the pages name and show them."""

from __future__ import annotations

import re

from django.utils import timezone

from tracing.domain.failure import group_key
from tracing.models import DeadLetter, DeadLetterGroup, RetryItem, RetryRun
from tracing.retry.letters import tally


def key() -> str:
    return group_key(DeadLetterGroup.objects.get().id)


def retry_of(letter: DeadLetter, *, state: str) -> None:
    """Keep that a dead letter was retried, as a run does."""
    run = RetryRun.objects.create(
        kind="retry",
        asked_by="ada",
        asked_at=timezone.now(),
        rate_per_s=5,
        selection={"kind": "records"},
        until_position=0,
    )
    RetryItem.objects.create(
        run=run,
        n=1,
        record=letter.record,
        group_id=letter.group_id,
        retry_id="r-1",
        topic="orders",
        state=state,
    )
    tally([letter.group_id])


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())
