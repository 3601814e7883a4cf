"""What a saga remembers of its events, and what it contributes to the counters."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.buckets import bucket
from tracing.models.source import coordinates_of
from tracing.projections.packing import Packed, sort

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.facts import Place
    from tracing.domain.saga.definition import Version
    from tracing.domain.saga.instance import Instance
    from tracing.projections.catalogue import Catalogue

# Of each type so many events are kept: the first ones. More say nothing that two do not.
MOST_OF_A_TYPE = 8


class Effects(msgspec.Struct, array_like=True, frozen=True):
    """What an instance adds to the counters.

    `count` is (phase, state, step), None while no definition covers it. `flags` holds (flag, index
    of the step, its name), `durations` (step, bucket).
    """

    count: tuple[int, str, str] | None = None
    flags: tuple[tuple[int, int, str], ...] = ()
    durations: tuple[tuple[str, int], ...] = ()


class Held(msgspec.Struct, array_like=True):
    """An instance's facts, at most `MOST_OF_A_TYPE` events a type; `last_ms` is of all."""

    facts: list[Packed]
    last_ms: int
    effects: Effects


class _Outline(msgspec.Struct, array_like=True):
    """What of `Held` is read without its facts, which may be thousands."""

    facts: msgspec.Raw
    last_ms: int
    effects: Effects


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Held).decode
_decode_outline = msgspec.msgpack.Decoder(_Outline).decode


def dump(held: Held) -> bytes:
    """Return the blob; equal sets of facts give equal blobs."""
    sort(held.facts)
    return _encode(held)


def load(blob: bytes | memoryview) -> Held:
    """Return what `dump` wrote."""
    return _decode(blob)


def load_effects(blob: bytes | memoryview) -> Effects:
    """Return what an instance adds to the counters, from what `dump` wrote."""
    return _decode_outline(blob).effects


def add(held: Held, facts: Iterable[Packed], catalogue: Catalogue) -> None:
    """Fold facts in; commutative and idempotent.

    Of copies only the best is kept, in the order by which `canonical` chooses it, and by the same
    order the first events of a type: so what is kept does not depend on what came first.
    """
    known = {(fact.record, fact.part): fact for fact in held.facts}
    for fact in facts:
        known[fact.record, fact.part] = fact
        held.last_ms = max(held.last_ms, fact.timestamp_ms)
    held.facts = list(known.values())
    copies = len({fact.event for fact in held.facts}) < len(held.facts)
    if copies or len(held.facts) > MOST_OF_A_TYPE:
        held.facts = _bounded(held.facts, catalogue)


def _bounded(facts: list[Packed], catalogue: Catalogue) -> list[Packed]:
    catalogue.pairs(fact.node for fact in facts)
    by_type: dict[str, list[Packed]] = defaultdict(list)
    for fact in facts:
        by_type[catalogue.pair(fact.node)[0]].append(fact)
    kept: list[Packed] = []
    for members in by_type.values():
        kept.extend(_first(members, catalogue) if len(members) > 1 else members)
    return kept


def _first(members: list[Packed], catalogue: Catalogue) -> list[Packed]:
    """Return the best record of each of the first events."""

    def rank(fact: Packed) -> tuple[int, int, Place]:
        partition_id, offset = coordinates_of(fact.record)
        place = (*catalogue.place(partition_id), offset, fact.part, fact.record)
        return (fact.tier, fact.timestamp_ms, place)

    best: dict[bytes, Packed] = {}
    for fact in sorted(members, key=rank):
        best.setdefault(fact.event, fact)
    return list(best.values())[:MOST_OF_A_TYPE]


def effects_of(version: Version, found: Instance) -> Effects:
    """Return what an instance adds to the counters."""
    steps = version.definition.steps
    ways = [way for taken in found.steps for way in (taken, taken.compensation) if way]
    return Effects(
        count=(int(found.phase), found.state, found.step),
        flags=tuple(
            (int(one.flag), one.step, steps[one.step].name if one.step >= 0 else "")
            for one in found.flags
        ),
        durations=tuple(
            (way.name, bucket(way.duration_us)) for way in ways if way.duration_us is not None
        ),
    )
