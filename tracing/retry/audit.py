"""The audit log: who did what, when, why, and what came of it. Only ever added to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from tracing.domain.text import clean
from tracing.models import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = 100
MAX_TEXT = 2_000
# Who acts when nobody does.
OURSELVES = "eventviz"


def write(
    *,
    who: str,
    what: str,
    target: str,
    url: str = "",
    why: str = "",
    outcome: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Add an entry, in the transaction of the deed. `outcome` is JSON, small."""
    return AuditEntry.objects.create(
        at=timezone.now(),
        who=who[:150],
        what=what[:40],
        target=clean(target, MAX_TEXT),
        url=url[:500],
        why=clean(why, MAX_TEXT),
        outcome=dict(outcome or {}),
    )


def entries(*, before: int | None = None, who: str = "", what: str = "") -> list[AuditEntry]:
    """Return entries, the newest first, at most a page of them and one more."""
    query = AuditEntry.objects.order_by("-id")
    if before is not None:
        query = query.filter(id__lt=before)
    if who:
        query = query.filter(who=who)
    if what:
        query = query.filter(what=what)
    return list(query[: PAGE + 1])
