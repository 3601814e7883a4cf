"""What the retries know of dead letters: which group, where they came from, who put them aside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils import timezone

from tracing.domain.failure import group_key
from tracing.domain.text import clean
from tracing.domain.topology import kind_of
from tracing.models import (
    DeadLetter,
    DeadLetterGroup,
    Discard,
    GroupDecision,
    RetryItem,
    RetryTally,
)
from tracing.models.source import coordinates_of
from tracing.projections.dead_letter_reading import GroupFilter, matching_groups, parse_filter
from tracing.projections.names import names
from tracing.projections.settings import current_rules
from tracing.retry import audit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What a filter may name: the inbox's.
FILTERS = GroupFilter.__struct_fields__
MAX_GROUPS = 500
# So many dead letters are put aside or restored at once.
MAX_DISCARDED = 1_000
_SENT = ("sent", "processed", "failed_again", "unconfirmed")


class Letter(msgspec.Struct, frozen=True):
    """A dead letter's group, and the place that its failure names, None where it names none."""

    group_id: int
    source: tuple[str, int | None] | None


def letters_of(records: Sequence[int], topics: dict[int, str]) -> dict[int, Letter]:
    """Return those of the records that are dead letters. One query.

    `topics` are the topics in which the records stand: where the headers name no source, the
    topic's own name may.
    """
    rows = DeadLetter.objects.filter(record__in=records).values_list(
        "record", "group_id", "source_topic", "source_partition"
    )
    found = {}
    for record, group_id, topic, partition in rows:
        of = topic or kind_of(topics[record], current_rules().topics).of
        found[record] = Letter(group_id, (of, partition) if of else None)
    return found


def groups_of(query: str) -> list[int]:
    """Return the groups that the inbox shows under a filter, at most `MAX_GROUPS`."""
    return matching_groups(parse_filter(dict(parse_qsl(query))), MAX_GROUPS)


def unknown_filters(query: str) -> list[str]:
    """Return the names in a filter that mean nothing here."""
    return [name for name, _ in parse_qsl(query) if name not in FILTERS]


def all_dead(records: Sequence[int]) -> bool:
    """Tell whether these are dead letters, all of them; none is not."""
    found = DeadLetter.objects.filter(record__in=list(records)).count()
    return bool(records) and found == len(set(records))


def discarded(records: Iterable[int]) -> set[int]:
    """Return those of the records that somebody put aside."""
    rows = Discard.objects.filter(record__in=list(records), restored_at=None)
    return set(rows.values_list("record", flat=True))


def discard(records: Sequence[int], *, by: str, reason: str) -> int:
    """Put dead letters aside with a reason; return how many were not before."""
    letters = DeadLetter.objects.filter(record__in=list(records)[:MAX_DISCARDED])
    known = list(letters.values_list("record", "group_id"))
    now, count, groups = timezone.now(), 0, set[int]()
    for record, group_id in known:
        try:
            with transaction.atomic():
                Discard.objects.create(
                    record=record,
                    coordinates=_coordinates(record),
                    group_id=group_id,
                    reason=clean(reason, 500),
                    made_by=by,
                    made_at=now,
                )
        except IntegrityError:
            continue
        count += 1
        groups.add(group_id)
    if count:
        tally(groups)
        audit.write(
            who=by, what="discard", target=_named([record for record, _ in known]), why=reason
        )
    return count


def restore(records: Sequence[int], *, by: str) -> int:
    """Take back what was put aside; return how many were."""
    rows = Discard.objects.filter(record__in=list(records)[:MAX_DISCARDED], restored_at=None)
    groups = set(rows.values_list("group_id", flat=True))
    known = list(rows.values_list("record", flat=True))
    count = rows.update(restored_by=by, restored_at=timezone.now())
    if count:
        tally(group_id for group_id in groups if group_id is not None)
        audit.write(who=by, what="restore", target=_named(known))
    return count


def _named(records: Sequence[int]) -> str:
    places = ", ".join(_coordinates(record) for record in records[:5])
    return places + (f" and {len(records) - 5:,} more" if len(records) > 5 else "")


def _coordinates(record: int) -> str:
    partition_id, offset = coordinates_of(record)
    topic, number = names().place(partition_id)
    return f"{topic}[{number}]@{offset}"


def tally(group_ids: Iterable[int]) -> None:
    """Count anew what became of groups' messages; one that recovered as a whole is resolved.

    Two queries by index a group.
    """
    for group_id in set(group_ids):
        count: dict[str, int] = dict(
            RetryItem.objects.filter(group_id=group_id).values_list("state").annotate(Count("id"))
        )
        aside = Discard.objects.filter(group_id=group_id, restored_at=None).count()
        row, _ = RetryTally.objects.update_or_create(
            group_id=group_id,
            defaults={
                "retried": sum(count.get(state, 0) for state in _SENT),
                "recovered": count.get("processed", 0),
                "failed_again": count.get("failed_again", 0),
                "discarded": aside,
            },
        )
        _resolve(row)


def _resolve(row: RetryTally) -> None:
    """Resolve a group of which nothing is left to do, unless somebody decided otherwise."""
    group = DeadLetterGroup.objects.filter(id=row.group_id).first()
    if group is None or not row.recovered or row.done < group.count:
        return
    decision = GroupDecision.objects.filter(group_id=group.id).first()
    if decision and decision.state == GroupDecision.State.IGNORED:
        return
    resolved = decision and decision.state == GroupDecision.State.RESOLVED
    if resolved and decision and decision.last_ms_then >= group.last_ms:
        return
    with transaction.atomic():
        GroupDecision.objects.update_or_create(
            group_id=group.id,
            defaults={
                "fingerprint": group.fingerprint,
                "state": GroupDecision.State.RESOLVED,
                "decided_by": audit.OURSELVES,
                "decided_at": timezone.now(),
                "last_ms_then": group.last_ms,
            },
        )
        audit.write(
            who=audit.OURSELVES,
            what="resolve",
            target=f"{group.exception or 'dead letters'} of {group.source_topic}"[:300],
            url=f"/dead-letters/{group_key(group.id)}",
            why="every message recovered",
            outcome={"recovered": row.recovered, "discarded": row.discarded},
        )
