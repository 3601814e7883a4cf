"""Where the events with an id are: an index by the digest of the id, packed.

Ids are random, so an index in their order, a row each, is written everywhere at once: among
millions of events each new one changes a page of its own. Here a row holds all events of a batch,
or of many, whose ids fall into the same bucket: 16 bytes each, what an id's digest begins with and
the event's position. A look-up reads the rows of one bucket of each level.

What batches bring (level 0, few large buckets: a batch writes few rows) is joined every `JOINED_AT`
positions (level 1, many small ones: a look-up reads little of each of these stretches).
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

    Row = tuple[int, int, int, bytes]

# By level, so many bits of a digest tell its bucket.
_BITS = (6, 10)
JOINED_AT = 100_000
# Of events with one id so many are found. Producers that repeat an id without end exist.
MOST = 10_000
# A joined row that is larger has an id that repeats: of each, so many of a row stay.
_LARGE_BYTES = 32 * 1_024
_MOST_OF_A_ROW = 1_000
# So much of a digest is kept: the full id decides.
KEY_BYTES = 8
_ENTRY = 16
_BEHIND_ALL = b"\xff" * (_ENTRY + 1)
_FETCHED = 100
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
    bulk.insert(_ROWS, list(_rows(0, entries)))
    if isinstance(positions, range) and positions[0] // JOINED_AT != positions.stop // JOINED_AT:
        join()


def join() -> None:
    """Join what batches brought. Three statements."""
    buckets: dict[int, list[bytes]] = defaultdict(list)
    order = "level = 0 ORDER BY bucket, position"
    for bucket, packed in select(("bucket", "packed"), _ROWS.table, order, ()):
        buckets[bucket].append(packed)
    joined: list[Row] = []
    for parts in buckets.values():
        # Each part is in order already, so that sorting is merging.
        joined += _rows(1, sorted(_entries(b"".join(parts))))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tracing_eventindex WHERE level = 0")
    bulk.insert(_ROWS, joined)


def _rows(level: int, entries: Sequence[bytes]) -> Iterator[Row]:
    """Yield a level's rows of sorted entries."""
    at = 0
    while at < len(entries):
        bucket = _bucket(level, entries[at])
        border = (bucket + 1) << (16 - _BITS[level])
        behind = border.to_bytes(2, "big") if border < 1 << 16 else _BEHIND_ALL
        end = bisect_left(entries, behind, at)
        packed = b"".join(entries[at:end])
        yield _row(level, bucket, _thinned(packed) if level else packed)
        at = end


def remove(events: Iterable[tuple[bytes, int]]) -> None:
    """Forget events that are gone, given as (digest of the id, position). Two queries a bucket."""
    gone: dict[tuple[int, int], set[bytes]] = defaultdict(set)
    for digest, position in events:
        entry = digest[:KEY_BYTES] + position.to_bytes(8, "big")
        for level in range(len(_BITS)):
            gone[level, _bucket(level, digest)].add(entry)
    condition = "level = %s AND bucket = %s"
    for (level, bucket), entries in sorted(gone.items()):
        for position, blob in select(
            ("position", "packed"), _ROWS.table, condition, (level, bucket)
        ):
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
    wanted: dict[tuple[int, int], set[bytes]] = defaultdict(set)
    for digest in digests:
        for level in range(len(_BITS)):
            wanted[level, _bucket(level, digest)].add(digest[:KEY_BYTES])
    if not wanted:
        return []
    found: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute(*_rows_of(wanted))
        while rows := cursor.fetchmany(_FETCHED):
            # Put together: a bucket may have hundreds of short rows.
            buckets: dict[tuple[int, int], list[bytes]] = defaultdict(list)
            for level, bucket, packed in rows:
                buckets[level, bucket].append(packed)
            for place, parts in buckets.items():
                entries = b"".join(parts)
                for key in wanted[place]:
                    found += _places(entries, key)
            if len(found) >= MOST:
                break
    return found[:MOST]


def _rows_of(wanted: Collection[tuple[int, int]]) -> tuple[str, list[int]]:
    """Return the statement that reads the rows of these levels' buckets, and its parameters."""
    statements, parameters = [], []
    for level in range(len(_BITS)):
        buckets = [bucket for at, bucket in wanted if at == level]
        statements.append(
            "SELECT level, bucket, packed FROM tracing_eventindex"  # noqa: S608
            f" WHERE level = {level} AND {among('bucket', buckets)}"
        )
        parameters += buckets
    return " UNION ALL ".join(statements), parameters


def _bucket(level: int, key: bytes) -> int:
    return (key[0] << 8 | key[1]) >> (16 - _BITS[level])


def _row(level: int, bucket: int, packed: bytes) -> Row:
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
