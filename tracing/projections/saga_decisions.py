"""Saga definitions that people declared: versions by name, in force until somebody ends them."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone

from tracing.domain.rules import Roles
from tracing.domain.saga.definition import Version
from tracing.domain.saga.document import BadDefinitionError
from tracing.domain.saga.parsing import parse
from tracing.models import SagaDefinition
from tracing.projections import record_log
from tracing.projections.decisions import EVERY_S, DecidedMeanwhileError, ask_for_rebuild

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet

log = logging.getLogger(__name__)


class Sagas(msgspec.Struct, frozen=True):
    """The definitions in force: versions by name, and who wants to hear of an event type.

    `families` gives (name, rule) pairs by event type: whatever version names it. `commands`,
    `replies` and `roles` are the types that any version declares so.
    """

    versions: dict[str, tuple[Version, ...]]
    families: dict[str, tuple[tuple[str, str], ...]]
    commands: frozenset[str] = frozenset()
    replies: frozenset[str] = frozenset()
    roles: Roles = Roles()


class _Held(msgspec.Struct):
    read_at: float
    rows: tuple[tuple[str, int, int, str], ...] = ()
    sagas: Sagas = Sagas({}, {})


_held = _Held(read_at=float("-inf"))


def applied_sagas() -> Sagas:
    """Return the definitions in force. One query of a small table, at most once in `EVERY_S`."""
    if time.monotonic() - _held.read_at >= EVERY_S:
        rows = tuple((row.name, row.version, _ms(row.valid_from), row.text) for row in in_force())
        # A text is parsed when it is new, not every second.
        if rows != _held.rows:
            _held.sagas, _held.rows = _sagas(rows), rows
        _held.read_at = time.monotonic()
    return _held.sagas


def forget_sagas() -> None:
    """Look again when they are asked for next."""
    _held.read_at = float("-inf")


def in_force() -> QuerySet[SagaDefinition]:
    """Return the versions in force, by name and number."""
    return SagaDefinition.objects.filter(ended_at=None).order_by("name", "version")


def _ms(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1_000)


def _sagas(rows: tuple[tuple[str, int, int, str], ...]) -> Sagas:
    versions: dict[str, list[Version]] = defaultdict(list)
    families: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for name, number, valid_from_ms, text in rows:
        try:
            definition = parse(text)
        except BadDefinitionError as error:
            log.warning("Version %s of the saga %s is left out: %s", number, name, error)
            continue
        versions[name].append(
            Version(number=number, valid_from_ms=valid_from_ms, definition=definition)
        )
        for event_type in definition.acts:
            families[event_type][name, definition.key] = None
    declared = [one.definition for found in versions.values() for one in found]
    return Sagas(
        {name: tuple(found) for name, found in versions.items()},
        {event_type: tuple(found) for event_type, found in families.items()},
        commands=frozenset().union(*(one.commands for one in declared)),
        replies=frozenset().union(*(one.replies for one in declared)),
        roles=Roles(
            failed=frozenset().union(*(one.roles.failed for one in declared)),
            undone=frozenset().union(*(one.roles.undone for one in declared)),
            ended=frozenset().union(*(one.roles.ended for one in declared)),
        ),
    )


def declare(text: str, *, by: str, valid_from: dt.datetime | None = None) -> SagaDefinition:
    """Put a definition in force as the next version of its name; now unless said otherwise.

    A text that is in force from that time already is left as it is. What is stored is judged
    again by a rebuild, which is asked for. Raises BadDefinitionError, and DecidedMeanwhileError
    when somebody else was as fast.
    """
    name = parse(text).name
    now = timezone.now()
    newest = SagaDefinition.objects.filter(name=name).order_by("-version").first()
    if (
        newest is not None
        and newest.ended_at is None
        and newest.text == text
        and valid_from in {None, newest.valid_from}
    ):
        return newest
    try:
        with transaction.atomic():
            row = SagaDefinition.objects.create(
                name=name,
                version=1 if newest is None else newest.version + 1,
                valid_from=valid_from or now,
                text=text,
                made_by=by,
                made_at=now,
            )
    except IntegrityError:
        raise DecidedMeanwhileError(name[:80]) from None
    _act(by)
    return row


def move(name: str, version: int, *, valid_from: dt.datetime, by: str) -> bool:
    """Let a version hold from another time on; return whether it is in force."""
    rows = SagaDefinition.objects.filter(name=name, version=version, ended_at=None)
    moved = rows.update(valid_from=valid_from)
    if moved:
        _act(by)
    return moved > 0


def end(name: str, *, by: str, version: int | None = None) -> int:
    """End a saga's definition, or one version of it; return how many were in force."""
    rows = SagaDefinition.objects.filter(name=name, ended_at=None)
    if version is not None:
        rows = rows.filter(version=version)
    ended = rows.update(ended_at=timezone.now(), ended_by=by)
    if ended:
        _act(by)
    return ended


def _act(by: str) -> None:
    """Let a decision act; on an empty log there is nothing to rebuild."""
    forget_sagas()
    if record_log.any_stored():
        ask_for_rebuild(by)
