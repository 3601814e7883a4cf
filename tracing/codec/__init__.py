"""From bytes to envelopes. No I/O: what a format needs from elsewhere is handed in."""

from tracing.codec.decode import Decoded, decode

__all__ = ["Decoded", "decode"]
