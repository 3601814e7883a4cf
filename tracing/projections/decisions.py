"""Mappings that people applied: stored under a topic pattern, in force until somebody ends them."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone

from tracing.codec.rules import FIELDS, BadMappingError, Mapping
from tracing.domain.errors import EventvizError
from tracing.models import MappingDecision, RebuildRun

if TYPE_CHECKING:
    from django.db.models import QuerySet

log = logging.getLogger(__name__)

# Every process that decodes takes a decision up within this time.
EVERY_S = 1.0
MAX_HISTORY = 20


class DecidedMeanwhileError(EventvizError):
    """Somebody else has decided about this topic at the same moment; look again."""


class _Held(msgspec.Struct):
    """What was in force when we looked last."""

    read_at: float = 0.0
    mappings: tuple[Mapping, ...] = ()


_held = _Held(read_at=float("-inf"))


def applied_mappings() -> tuple[Mapping, ...]:
    """Return the mappings in force, the most specific pattern first.

    One query of a table with few rows, at most once in `EVERY_S`.
    """
    if time.monotonic() - _held.read_at >= EVERY_S:
        rows = list(in_force())
        _held.mappings = tuple(found for row in rows if (found := mapping_of(row)) is not None)
        _held.read_at = time.monotonic()
    return _held.mappings


def forget_mappings() -> None:
    """Look again when they are asked for next."""
    _held.read_at = float("-inf")


def in_force() -> list[MappingDecision]:
    """Return the decisions in force: names before patterns, longer patterns before shorter."""
    rows = MappingDecision.objects.filter(ended_at=None)
    return sorted(
        rows, key=lambda row: (bool(set(row.topic) & set("*?[")), -len(row.topic), row.id)
    )


def history() -> QuerySet[MappingDecision]:
    """Return the last decisions, ended ones too, the newest first."""
    return MappingDecision.objects.order_by("-made_at", "-id")[:MAX_HISTORY]


def mapping_of(row: MappingDecision) -> Mapping | None:
    """Return a decision's mapping; None, with a line in the log, when it makes no sense here."""
    known = {field: path for field, path in row.fields.items() if field in FIELDS}
    try:
        mapping = msgspec.convert({"topic": row.topic, **known}, Mapping)
        mapping.check()
    except (msgspec.ValidationError, BadMappingError) as error:
        log.warning("The mapping of %s is left out: %s", row.topic, error)
        return None
    return mapping


def apply(mapping: Mapping, *, by: str) -> MappingDecision:
    """Put a mapping in force, in place of the one for the same pattern.

    Raises BadMappingError, and DecidedMeanwhileError when somebody else was as fast.
    """
    mapping.check()
    said = {field: path for field in FIELDS if (path := getattr(mapping, field)) is not None}
    try:
        with transaction.atomic():
            _end(MappingDecision.objects.filter(topic=mapping.topic), by)
            row = MappingDecision.objects.create(
                topic=mapping.topic, fields=said, made_by=by, made_at=timezone.now()
            )
    except IntegrityError:
        raise DecidedMeanwhileError(mapping.topic[:80]) from None
    forget_mappings()
    return row


def end(decision_id: int, *, by: str) -> bool:
    """End a decision; return whether it was in force until now."""
    ended = _end(MappingDecision.objects.filter(id=decision_id), by)
    forget_mappings()
    return ended > 0


def _end(rows: QuerySet[MappingDecision], by: str) -> int:
    return rows.filter(ended_at=None).update(ended_at=timezone.now(), ended_by=by)


def ask_for_rebuild(by: str) -> RebuildRun:
    """Ask `manage.py work` for a rebuild; one that has not begun yet serves all who ask."""
    waiting = RebuildRun.objects.filter(started_at=None, finished_at=None).first()
    if waiting is not None:
        # What was decided since must have reached every ingestor before it begins.
        waiting.asked_at = timezone.now()
        waiting.save(update_fields=["asked_at"])
        return waiting
    return RebuildRun.objects.create(asked_by=by, asked_at=timezone.now())


def last_rebuild() -> RebuildRun | None:
    """Return the rebuild that was asked for last."""
    return RebuildRun.objects.order_by("-id").first()
