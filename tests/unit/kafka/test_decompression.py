"""Batches are decompressed as the client does it, but never without bound."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable

import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from kafka import codec
from kafka.record import default_records

from tests.examples import share
from tracing.kafka import decompression
from tracing.kafka.decompression import CompressedBatchError

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": codec.gzip_encode,
    "snappy": codec.snappy_encode,
    "lz4": codec.lz4_encode,
    "zstd": codec.zstd_encode,
}


@pytest.fixture(autouse=True)
def installed() -> None:
    """Put the bounded decoders in place, as the consumer does."""
    decompression.install()


def decoder(name: str) -> Callable[[bytes], bytes]:
    """Return what the client calls for a codec."""
    found: Callable[[bytes], bytes] = getattr(default_records, f"{name}_decode")
    return found


@pytest.mark.parametrize("name", ENCODERS)
@share(30)
@given(data=st.binary(max_size=5_000))
def test_what_was_compressed_comes_back(name: str, data: bytes) -> None:
    decompression.install()

    assert decoder(name)(memoryview(ENCODERS[name](data))) == data  # type: ignore[arg-type]


def test_snappy_without_framing_comes_back() -> None:
    plain = codec.snappy_encode(b"abc" * 100, xerial_compatible=False)

    assert decoder("snappy")(plain) == b"abc" * 100


def bomb(name: str) -> bytes:
    """Return small data that becomes 32 MB or more."""
    block = b"\x00" * (1 << 20)
    if name == "zstd":
        packer = zstandard.ZstdCompressor().compressobj()
        return b"".join([*(packer.compress(block) for _ in range(32)), packer.flush()])
    if name == "gzip":
        return gzip.compress(block) * 32
    if name == "lz4":
        with lz4.frame.LZ4FrameCompressor() as frame:
            begin = frame.begin()
            return b"".join([begin, *(frame.compress(block) for _ in range(32)), frame.flush()])
    # A length of 500 MB in front of nothing.
    return bytes([0x80, 0x80, 0xB5, 0xEE, 0x01, 0x00])


@pytest.mark.parametrize("name", ENCODERS)
def test_a_bomb_is_refused_before_it_fills_the_memory(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An eighth of the bomb, as the real limit is an eighth of 500 MB.
    limit = 4 << 20
    monkeypatch.setattr(decompression, "MAX_BATCH_BYTES", limit)
    data = bomb(name)
    tracemalloc.start()
    try:
        with pytest.raises(CompressedBatchError):
            decoder(name)(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 4 * limit


@pytest.mark.parametrize("name", ENCODERS)
@share(30)
@given(data=st.binary(min_size=1, max_size=200))
def test_damaged_data_is_unreadable_and_nothing_worse(name: str, data: bytes) -> None:
    decompression.install()
    whole = ENCODERS[name](b"payload" * 50)
    for damaged in (data, whole[: len(whole) // 2], whole[:-3] + data[:3]):
        try:
            decoder(name)(damaged)
        except ValueError:
            continue
