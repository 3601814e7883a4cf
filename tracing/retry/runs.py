"""Runs: asked for once, listed in pieces, paused, resumed, cancelled; their numbers."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from tracing.domain.errors import EventvizError
from tracing.domain.text import clean, hash64
from tracing.models import RetryItem, RetryRun
from tracing.projections.reading import decode_stored, head, stored_records
from tracing.retry import audit, selection
from tracing.retry.candidates import Judge, candidates

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tracing.retry.candidates import Verdict

MAX_RATE = 5_000.0
MAX_REASON = 500
# So many records are listed in one transaction.
LISTED = 500
OPEN = ("planned", "running", "paused")
UNSETTLED = ("pending", "sending", "sent")
# What a state adds to a run's counters.
_SENT = ("sent", "processed", "failed_again", "unconfirmed")


class BadRunError(EventvizError):
    """The run cannot be made as it was asked for."""


class Edit(msgspec.Struct, frozen=True):
    """A value that a person changed, and what was changed, as text."""

    value: bytes
    difference: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for. `token` is the form's: asked twice, there is one run."""

    kind: str
    selection: selection.Selection
    by: str
    reason: str
    rate_per_s: float
    token: str
    target: str = ""
    edit: Edit | None = None

    def check(self) -> None:
        """Raise BadRunError, or BadSelectionError."""
        self.selection.check()
        if not self.reason.strip():
            raise BadRunError("Say why: the reason is kept in the audit.")
        if not 0 < self.rate_per_s <= MAX_RATE:
            raise BadRunError(f"The rate is more than 0 and at most {MAX_RATE:,.0f} a second.")
        if not self.token or len(self.token) > 64:
            raise BadRunError("The form's token is missing: open the plan again.")


def ask(asked: Asked) -> RetryRun:
    """Store a run for `manage.py work`, or return the one that was asked for with this token.

    Raises BadRunError and BadSelectionError.
    """
    asked.check()
    known = RetryRun.objects.filter(token=asked.token).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            run = RetryRun.objects.create(
                kind=asked.kind,
                asked_by=asked.by,
                asked_at=timezone.now(),
                reason=clean(asked.reason.strip(), MAX_REASON),
                rate_per_s=asked.rate_per_s,
                target=asked.target,
                selection=selection.dump(asked.selection),
                cursor=[],
                until_position=head().position,
                token=asked.token,
            )
            if asked.edit is not None:
                _list_edited(run, asked.selection.records[0], asked.edit)
            _note(run, asked.kind if asked.edit is None else "edit and retry", asked.by, run.reason)
    except IntegrityError:
        # Asked for twice at the same moment: the other one was quicker.
        return RetryRun.objects.get(token=asked.token)
    return run


def url_of(run: RetryRun) -> str:
    """Return the page of a run."""
    return f"/retries/{run.id}"


def pause(run: RetryRun, by: str) -> bool:
    """Stop sending until somebody resumes; return whether there was something to send."""
    return _left(run) and _turn(run, ("planned", "running"), "paused", by, "pause")


def resume(run: RetryRun, by: str) -> bool:
    """Go on with a paused run, slowly at first; return whether it was paused."""
    listed = run.cursor is None
    return _turn(run, ("paused",), "running" if listed else "planned", by, "resume")


def cancel(run: RetryRun, by: str) -> bool:
    """Send nothing more; what was sent is still followed.

    Return whether it was open: one of which all is sent stays as it is.
    """
    return _left(run) and _turn(run, OPEN, "cancelled", by, "cancel")


def _left(run: RetryRun) -> bool:
    """Tell whether anything of a run is not sent yet, or not listed."""
    items = RetryItem.objects.filter(run=run, state__in=("pending", "sending"))
    return run.cursor is not None or items.exists()


def _turn(run: RetryRun, states: Iterable[str], state: str, by: str, what: str) -> bool:
    with transaction.atomic():
        turned = RetryRun.objects.filter(id=run.id, state__in=states).update(state=state, error="")
        if turned:
            _note(run, what, by, "")
    return turned > 0


def _note(run: RetryRun, what: str, by: str, why: str) -> None:
    found = selection.load(run.selection).words
    target = f"{run.kind} of {found}" + (f" to {run.target}" if run.target else "")
    outcome: dict[str, Any] = {"run": str(run.id)}
    if what not in ("pause", "resume"):
        outcome |= counters(run)
    audit.write(who=by, what=what, target=target, url=url_of(run), why=why, outcome=outcome)


def counters(run: RetryRun) -> dict[str, int]:
    """Return a run's counters by name."""
    names = ("planned", "sent", "processed", "failed_again", "unconfirmed", "skipped")
    return {name: getattr(run, name) for name in names}


def list_some(run: RetryRun) -> None:
    """List the next records of a planned run as items; the last ones set it running."""
    wanted = selection.load(run.selection)
    found, cursor = selection.page(
        wanted, run.cursor or None, until=run.until_position, limit=LISTED
    )
    verdicts = Judge(kind=run.kind, wanted=run.target).verdicts(candidates(found))
    with transaction.atomic():
        # A run that was cancelled meanwhile, or that another worker has listed, stays as it is.
        moved = RetryRun.objects.filter(id=run.id, state="planned", cursor=run.cursor)
        state = "running" if cursor is None else "planned"
        if not moved.update(cursor=cursor, state=state, started_at=timezone.now()):
            return
        _add(run, verdicts)
    refresh([run.id])


def _add(run: RetryRun, verdicts: Iterable[Verdict]) -> None:
    listed = RetryItem.objects.filter(run=run)
    first = (listed.aggregate(last=Max("n"))["last"] or 0) + 1
    verdicts = list(verdicts)
    hashes = [verdict.candidate.event_hash for verdict in verdicts]
    there = listed.filter(event_hash__in=hashes, state="pending")
    seen: set[int | None] = set(there.values_list("event_hash", flat=True))
    items = []
    for n, verdict in enumerate(verdicts, start=first):
        item = _item(run, n, verdict)
        if run.kind == "replay" and item.event_hash is not None:
            # Of several records of one event, one goes out.
            if item.event_hash in seen and item.state == "pending":
                item.state, item.error = "skipped", "another record of this event is replayed"
            seen.add(item.event_hash)
        items.append(item)
    # A record that another run took up at this very moment stays with that one.
    RetryItem.objects.bulk_create(items, ignore_conflicts=True, batch_size=40)


def _item(run: RetryRun, n: int, verdict: Verdict) -> RetryItem:
    one = verdict.candidate
    return RetryItem(
        run=run,
        n=n,
        record=one.record,
        event_id=one.event_id,
        event_hash=one.event_hash,
        group_id=verdict.group_id,
        retry_id=uuid.uuid4().hex,
        attempt=min(verdict.attempt, 30_000),
        topic=verdict.target.topic[:249],
        partition=verdict.target.partition,
        state="skipped" if verdict.skipped else "pending",
        error=verdict.skipped,
    )


def _list_edited(run: RetryRun, record: int, edit: Edit) -> None:
    """List the one record whose value a person changed, and set the run running."""
    verdict = Judge(kind=run.kind, wanted=run.target).verdicts(candidates([record]))[0]
    item = _item(run, 1, verdict)
    item.edited, item.difference = edit.value, edit.difference
    if event_id := _edited_id(record, edit.value, item.topic):
        # What comes of it names the event that it is now.
        item.event_id, item.event_hash = event_id, hash64(event_id)
    item.save()
    run.cursor, run.state, run.started_at = None, "running", timezone.now()
    run.planned = 1
    run.save(update_fields=["cursor", "state", "started_at", "planned"])


def _edited_id(record: int, value: bytes, topic: str) -> str:
    """Return the event id of a record with this value on a topic, '' where nobody can read it."""
    stored = stored_records([record]).get(record)
    if stored is None:
        return ""
    there = msgspec.structs.replace(
        stored, topic=topic, value=value, value_length=len(value), value_sha256=None
    )
    first = decode_stored(there).events[0]
    return "" if first.error else first.event_id


def refresh(run_ids: Iterable[uuid.UUID]) -> None:
    """Count the items of runs anew, and end those that have none left to wait for.

    One query by index and one statement a run.
    """
    for run_id in set(run_ids):
        rows = RetryItem.objects.filter(run_id=run_id).values_list("state").annotate(Count("id"))
        count: dict[str, int] = dict(rows)
        numbers = {
            "planned": sum(count.values()),
            "sent": sum(count.get(state, 0) for state in _SENT),
            "processed": count.get("processed", 0),
            "failed_again": count.get("failed_again", 0),
            "unconfirmed": count.get("unconfirmed", 0),
            "skipped": count.get("skipped", 0) + count.get("cancelled", 0),
        }
        RetryRun.objects.filter(id=run_id).update(**numbers)
        if not any(count.get(state) for state in UNSETTLED):
            _end(run_id)


def _end(run_id: uuid.UUID) -> None:
    ended = Q(state="running", cursor__isnull=True) | Q(state="cancelled")
    with transaction.atomic():
        rows = RetryRun.objects.filter(ended, id=run_id, finished_at=None)
        if not rows.update(finished_at=timezone.now(), error=""):
            return
        RetryRun.objects.filter(id=run_id, state="running").update(state="done")
        run = RetryRun.objects.get(id=run_id)
        _note(run, f"{run.kind} ended", audit.OURSELVES, "")
