"""Where the events with an id are: an index by the digest of the id, packed.

Ids are random, so an index in their order, a row each, is written everywhere at once: among
millions of events each new one changes a page of its own. Here a row holds all events of a batch,
or of many, whose ids fall into the same of `BUCKETS`: 16 bytes each, what an id's digest begins
with and the event's position, in no order. A look-up reads the rows of one bucket.

What batches bring (level 0) is joined every `JOINED_AT` positions (level 1), so a bucket has a
row for each of these stretches and those of some batches.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from django.db import connection

from tracing.projections import bulk
from tracing.projections.bulk import Columns
from tracing.projections.plain_sql import among, select

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

BUCKETS = 1_024
JOINED_AT = 100_000
# Of events with one id so many are found. Producers that repeat an id without end exist.
MOST = 10_000
# A joined row that is larger has an id that repeats: of each, so many of a row stay.
_LARGE_BYTES = 32 * 1_024
_MOST_OF_A_ROW = 1_000
# So much of a digest is kept: the full id decides.
KEY_BYTES = 8
_ENTRY = 16
_FETCHED = 100
# Behind the entries of each bucket, in their order.
_BORDERS = [(bucket << 6).to_bytes(2, "big") for bucket in range(1, BUCKETS)]
_BORDERS.append(b"\xff" * (_ENTRY + 1))

_ROWS = Columns(
    "tracing_eventindex",
    (("level", "int2"), ("bucket", "int2"), ("position", "int8"), ("packed", "bytea")),
)
_each = struct.Struct(f"{KEY_BYTES}s").iter_unpack
_position_at = struct.Struct(">Q").unpack_from


def add(keys: bytes, positions: Sequence[int]) -> None:
    """Add events that were just written: `KEY_BYTES` of each id's digest, in their order.

    One statement; four where it is time to join.
    """
    places = struct.pack(f">{len(positions)}Q", *positions)
    entries = sorted(
        [key + place for (key,), (place,) in zip(_each(keys), _each(places), strict=True)]
    )
    rows, at = [], 0
    while at < len(entries):
        bucket = _bucket(entries[at])
        end = bisect_left(entries, _BORDERS[bucket], at)
        rows.append(_row(0, bucket, b"".join(entries[at:end])))
        at = end
    bulk.insert(_ROWS, rows)
    if isinstance(positions, range) and positions[0] // JOINED_AT != positions.stop // JOINED_AT:
        join()


def join() -> None:
    """Join what batches brought. Three statements."""
    buckets: dict[int, list[bytes]] = defaultdict(list)
    order = "level = 0 ORDER BY bucket, position"
    for bucket, packed in select(("bucket", "packed"), _ROWS.table, order, ()):
        buckets[bucket].append(packed)
    joined = [_row(1, bucket, _thinned(b"".join(rows))) for bucket, rows in buckets.items()]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tracing_eventindex WHERE level = 0")
    bulk.insert(_ROWS, joined)


def remove(events: Iterable[tuple[bytes, int]]) -> None:
    """Forget events that are gone, given as (digest of the id, position). A query a bucket."""
    gone: dict[int, set[bytes]] = defaultdict(set)
    for digest, position in events:
        gone[_bucket(digest)].add(digest[:KEY_BYTES] + position.to_bytes(8, "big"))
    columns = ("level", "position", "packed")
    condition = "level IN (0, 1) AND bucket = %s"
    for bucket, entries in sorted(gone.items()):
        for level, position, blob in select(columns, _ROWS.table, condition, (bucket,)):
            packed = bytes(blob)
            if any(entry in packed for entry in entries):
                stay = [entry for entry in _entries(packed) if entry not in entries]
                _replace(level, bucket, position, b"".join(stay))


def _replace(level: int, bucket: int, position: int, packed: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM tracing_eventindex WHERE level = %s AND bucket = %s AND position = %s",
            (level, bucket, position),
        )
    if packed:
        bulk.insert(_ROWS, [_row(level, bucket, packed)])


def positions_of(digests: Collection[bytes]) -> list[int]:
    """Return the positions of events whose ids have these digests, `MOST` of them; one query.

    The full id decides, and an event may be gone since: ask for both where the event is read.
    """
    wanted: dict[int, set[bytes]] = defaultdict(set)
    for digest in digests:
        wanted[_bucket(digest)].add(digest[:KEY_BYTES])
    if not wanted:
        return []
    found: list[int] = []
    condition = f"level IN (0, 1) AND {among('bucket', wanted)}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT bucket, packed FROM tracing_eventindex WHERE {condition}",  # noqa: S608
            list(wanted),
        )
        while rows := cursor.fetchmany(_FETCHED):
            for bucket, blob in rows:
                packed = bytes(blob)
                for key in wanted[bucket]:
                    found += _places(packed, key)
            if len(found) >= MOST:
                break
    return found[:MOST]


def _bucket(key: bytes) -> int:
    return key[0] << 2 | key[1] >> 6


def _row(level: int, bucket: int, packed: bytes) -> tuple[int, int, int, bytes]:
    """Return a row, named by the position of its first event, which is in no other."""
    return level, bucket, _position_at(packed, KEY_BYTES)[0], packed


def _entries(packed: bytes) -> list[bytes]:
    return [packed[at : at + _ENTRY] for at in range(0, len(packed), _ENTRY)]


def _places(packed: bytes, key: bytes) -> Iterator[int]:
    at = packed.find(key)
    while at >= 0:
        if at % _ENTRY == 0:
            yield _position_at(packed, at + KEY_BYTES)[0]
        at = packed.find(key, at + 1)


def _thinned(packed: bytes) -> bytes:
    """Return a joined row without most of what repeats one id, so that others are found soon."""
    if len(packed) <= _LARGE_BYTES:
        return packed
    seen: Counter[bytes] = Counter()
    stay = []
    for entry in _entries(packed):
        seen[entry[:KEY_BYTES]] += 1
        if seen[entry[:KEY_BYTES]] <= _MOST_OF_A_ROW:
            stay.append(entry)
    return b"".join(stay)
