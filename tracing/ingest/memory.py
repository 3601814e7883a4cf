"""How an ingestor's processes use memory: a batch takes much, and gives it back at once."""

from __future__ import annotations

import ctypes
import gc
import sys

# Of glibc's malloc.h, https://www.man7.org/linux/man-pages/man3/mallopt.3.html
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
# More than a fetch, or a batch on its way between two processes, takes.
_LARGEST_BUFFER = 32 * 1024 * 1024
_KEPT_BYTES = 64 * 1024 * 1024
# More than are made for a large batch and live until it ends.
_OBJECTS = 200_000


def keep_buffers() -> None:
    """Let what large buffers took be used again. Nothing but on glibc.

    Else each comes from the system anew, page by page: with some ten buffers of 6 MB a batch, 2 us
    an event. One arena for all threads, which run in turns anyway, so that there is one rest.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_ARENA_MAX, 1)
            mallopt(_MMAP_THRESHOLD, _LARGEST_BUFFER)
            mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def collect_seldom() -> None:
    """Look for cycles less often: a batch makes a hundred thousand objects and hardly any cycle.

    What is there now is not looked at again. With Python's own thresholds, two headers on each
    record doubled the cost of reading it, and the preparing process spent a tenth of its time here.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS, 20, 20)
