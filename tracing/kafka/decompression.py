"""Decompress batches within a bound.

kafka-python decompresses a batch whole, whatever its size: 6.5 KB can become 600 MB. Its four
decoders are replaced by ones that stop at a limit; a batch above it is unreadable and quarantined
like any other. The decoders are names in two of its modules, looked up when a batch is read.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import lz4.frame  # type: ignore[import-untyped]
import snappy  # type: ignore[import-untyped]
import zstandard
from kafka.record import default_records, legacy_records

# Far above what a broker takes uncompressed by default (1 MiB a batch), far below a machine.
MAX_BATCH_BYTES = 64 * 1024 * 1024
# The xerial framing of snappy: a header of 16 bytes, then blocks behind a 4-byte length.
_XERIAL_MAGIC = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16


class CompressedBatchError(ValueError):
    """A compressed batch is damaged, or larger than we take."""


def install() -> None:
    """Put the bounded decoders in place, once for the whole process."""
    for module in (default_records, legacy_records):
        module.gzip_decode = DECODERS[1]
        module.snappy_decode = DECODERS[2]
        module.lz4_decode = DECODERS[3]
    default_records.zstd_decode = DECODERS[4]


def _bounded(decode: Callable[[bytes, int], bytes]) -> Callable[[Any], bytes]:
    def decoder(payload: Any) -> bytes:
        try:
            found = decode(bytes(payload), MAX_BATCH_BYTES + 1)
        except (
            zlib.error,
            zstandard.ZstdError,
            snappy.UncompressError,
            struct.error,
            RuntimeError,
            EOFError,
        ) as error:
            raise CompressedBatchError(f"the compressed data is damaged: {error}") from error
        if len(found) > MAX_BATCH_BYTES:
            raise CompressedBatchError(
                f"the batch is larger than {MAX_BATCH_BYTES:,} bytes when it is decompressed"
            )
        return found

    return decoder


def gunzip(data: bytes, limit: int) -> bytes:
    """Return at most `limit` bytes of a gzip stream, of all its members."""
    out = bytearray()
    while data and len(out) < limit:
        # 31: a window of any size, with gzip's header.
        member = zlib.decompressobj(31)
        out += member.decompress(data, limit - len(out))
        if not member.eof and len(out) < limit:
            raise EOFError("the gzip stream ends too early")
        data = member.unused_data
    return bytes(out)


def unzstd(data: bytes, limit: int) -> bytes:
    """Return at most `limit` bytes of zstd frames."""
    reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
    with reader:
        out = bytearray()
        while len(out) < limit:
            chunk = reader.read(min(limit - len(out), 1 << 20))
            if not chunk:
                break
            out += chunk
    return bytes(out)


def unlz4(data: bytes, limit: int) -> bytes:
    """Return at most `limit` bytes of an LZ4 frame."""
    frame = lz4.frame.LZ4FrameDecompressor()
    out: bytes = frame.decompress(data, max_length=limit)
    if not frame.eof and len(out) < limit:
        raise EOFError("the LZ4 frame ends too early")
    return out


def unsnappy(data: bytes, limit: int) -> bytes:
    """Return snappy data, plain or in xerial's blocks; more than `limit` bytes say so early."""
    if not data.startswith(_XERIAL_MAGIC):
        return _unsnappy_block(data, limit)
    out = bytearray()
    at = _XERIAL_HEADER
    while at < len(data) and len(out) < limit:
        (size,) = struct.unpack_from("!i", data, at)
        at += 4
        if size < 0:
            raise EOFError("a snappy block has a negative length")
        out += _unsnappy_block(data[at : at + size], limit - len(out))
        at += size
    return bytes(out)


def _unsnappy_block(block: bytes, limit: int) -> bytes:
    """Decompress one block; its first bytes tell its length, so a bomb is known unopened."""
    length = shift = 0
    for byte in block[:5]:
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if length >= limit:
        raise CompressedBatchError(f"a snappy block claims {length:,} bytes")
    found: bytes = snappy.uncompress(block)
    return found


# By the number that a batch names its codec with.
DECODERS: dict[int, Callable[[Any], bytes]] = {
    1: _bounded(gunzip),
    2: _bounded(unsnappy),
    3: _bounded(unlz4),
    4: _bounded(unzstd),
}
