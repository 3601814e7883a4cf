"""Large buffers go back to the system as soon as they are free."""

from __future__ import annotations

import ctypes
import sys

# `M_MMAP_THRESHOLD` of glibc's malloc.h, https://www.man7.org/linux/man-pages/man3/mallopt.3.html
_MMAP_THRESHOLD = -3
_LARGE_BYTES = 256 * 1024


def give_back_buffers() -> None:
    """Let buffers of a batch's size be mappings of their own. Nothing but on glibc.

    By itself it raises its limit to the largest buffer that was ever freed, and what a fetch and a
    batch on its way between two processes took stays with the process in pieces: 25 MB.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
