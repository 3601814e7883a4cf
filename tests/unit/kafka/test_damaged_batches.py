"""The tight parser loses less where a batch is damaged."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tests.strangers.hostile import NotText
from tests.unit.kafka.batches import Row, Written, batch, ours_of, rows, sealed, topics
from tracing.kafka import decompression
from tracing.kafka.partition_records import MAX_LOST


@pytest.fixture(autouse=True, scope="module")
def bounded() -> None:
    """Put the bounded decoders in place, as the consumer does."""
    decompression.install()


@share(30)
@given(written=topics(), data=st.data())
def test_damage_is_told_and_never_stops_the_reader(written: Written, data: st.DataObject) -> None:
    raw = bytearray(written.data)
    for _ in range(data.draw(st.integers(1, 3))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))

    found, _end = ours_of(bytes(raw))

    offsets = [record.offset for record in found]
    assert len(offsets) < MAX_LOST + 100
    assert all(record.error is None or record.value is None for record in found)


@share(50)
@given(rows=st.lists(rows, min_size=1, max_size=5), data=st.data(), codec=st.integers(0, 4))
def test_a_batch_with_a_right_checksum_and_nonsense_inside_is_accounted_for(
    rows: list[Row], data: st.DataObject, codec: int
) -> None:
    raw = bytearray(batch(10, rows, codec=codec))
    raw[data.draw(st.integers(61, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    (last_delta,) = struct.unpack_from(">i", raw, 23)

    found, end = ours_of(sealed(raw) + batch(11 + last_delta, [Row()]), 10)

    offsets = [record.offset for record in found]
    assert offsets == sorted(set(offsets))
    assert end == 12 + last_delta
    assert found[-1].offset == 11 + last_delta
    assert found[-1].error is None


def test_a_damaged_batch_costs_its_own_offsets_and_no_others() -> None:
    good = [batch(0, [Row(), Row()]), batch(5, [Row()])]
    bad = bytearray(batch(2, [Row(), Row(), Row()]))
    bad[-1] ^= 1

    found, end = ours_of(good[0] + bad + good[1])

    assert [(row.offset, row.error is None) for row in found] == [
        (0, True),
        (1, True),
        (2, False),
        (3, False),
        (4, False),
        (5, True),
    ]
    assert "checksum is wrong" in (found[2].error or "")
    assert end == 6


def test_a_damaged_batch_whose_end_is_not_believed_costs_one_offset_at_a_time() -> None:
    bad = bytearray(batch(2, [Row(), Row()]))
    struct.pack_into(">i", bad, 23, 1 << 30)

    found, end = ours_of(bytes(bad) + batch(4, [Row()]), 2)

    assert [(row.offset, row.error is None) for row in found] == [(2, False)]
    assert end == 3


def test_a_damaged_batch_that_claims_to_be_far_away_is_not_believed() -> None:
    bad = bytearray(batch(1 << 60, [Row()]))
    bad[-1] ^= 1

    found, end = ours_of(bytes(bad), 2)

    assert [(row.offset, row.error is None) for row in found] == [(2, False)]
    assert end == 3


def test_damage_behind_a_gap_costs_nothing_of_the_gap() -> None:
    bad = sealed(batch(500_000, [Row()])[:-1] + b"\x02")

    found, end = ours_of(bad, 2)

    assert [(row.offset, row.error is None) for row in found] == [(500_000, False)]
    assert end == 500_001


def test_a_header_name_that_is_not_utf8_costs_one_record() -> None:
    data = batch(0, [Row(), Row(headers=((NotText("x"), b"1"),)), Row(value=b"kept")])

    found, end = ours_of(data)

    assert [row.error is None for row in found] == [True, False, True]
    assert found[1].offset == 1
    assert (found[2].value, end) == (b"kept", 3)


def test_an_unknown_codec_is_told() -> None:
    found, end = ours_of(batch(0, [Row()], more_attributes=6))

    assert "codec 6 is unknown" in (found[0].error or "")
    assert end == 1


def test_a_bomb_is_told_and_what_follows_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompression, "MAX_BATCH_BYTES", 1 << 20)
    bomb = batch(0, [Row(value=b"\x00" * (1 << 20))], codec=4)

    found, end = ours_of(bomb + batch(1, [Row()]))

    assert "when it is decompressed" in (found[0].error or "")
    assert (found[1].error, end) == (None, 2)
