"""What another `valid_from` of a version would change: which version judges which time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.domain.saga.definition import version_at
from tracing.models import SagaInstance
from tracing.projections.saga_decisions import applied_sagas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracing.domain.saga.definition import Version

# Counting stops here.
COUNTED = 1_000


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """Sagas that began in this time change their version; None for no version: no saga.

    In ms since 1970, `until_ms` is None without an end. `sagas` stops at `COUNTED`; what is no saga
    yet is not counted.
    """

    from_ms: int
    until_ms: int | None
    before: int | None
    after: int | None
    sagas: int = 0


def shifts_of_move(name: str, number: int, valid_from_ms: int) -> list[Shift]:
    """Return what moving a version changes, in the order of time. One count by index each."""
    versions = applied_sagas().versions.get(name, ())
    return [
        msgspec.structs.replace(shift, sagas=_count(name, shift))
        for shift in shifts(versions, number, valid_from_ms)
    ]


def shifts(versions: Sequence[Version], number: int, valid_from_ms: int) -> Iterator[Shift]:
    """Yield the times in which another version would judge; neighbours that agree are one."""
    moved = [
        msgspec.structs.replace(one, valid_from_ms=valid_from_ms) if one.number == number else one
        for one in versions
    ]
    edges = sorted({one.valid_from_ms for one in (*versions, *moved)})
    last: Shift | None = None
    for from_ms, until_ms in zip(edges, [*edges[1:], None], strict=True):
        before, after = (_judging(those, from_ms) for those in (versions, moved))
        if last is not None and (last.before, last.after) == (before, after):
            last = msgspec.structs.replace(last, until_ms=until_ms)
            continue
        if last is not None and last.before != last.after:
            yield last
        last = Shift(from_ms=from_ms, until_ms=until_ms, before=before, after=after)
    if last is not None and last.before != last.after:
        yield last


def _judging(versions: Sequence[Version], at_ms: int) -> int | None:
    found = version_at(versions, at_ms)
    return found.number if found else None


def _count(name: str, shift: Shift) -> int:
    rows = SagaInstance.objects.filter(definition=name, started_ms__gte=shift.from_ms)
    if shift.until_ms is not None:
        rows = rows.filter(started_ms__lt=shift.until_ms)
    return len(rows.values_list("id", flat=True)[:COUNTED])
