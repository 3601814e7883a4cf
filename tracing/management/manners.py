"""Give way: a person who waits for a page comes before records that wait for a second."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# Linux weighs sessions first and processes within one then (sched(7), "autogroup").
_AUTOGROUP = Path("/proc/self/autogroup")


def give_way(nice: int) -> None:
    """Take a core only when others leave it, as far as `nice` (0 to 19) says; 0 changes nothing.

    Processes that start from now on inherit it. The whole session gives way where it is this
    process's own; who shares one with the web server gives way within it.
    """
    if not nice:
        return
    os.nice(nice)
    if os.getsid(0) == os.getpid() and _AUTOGROUP.exists():
        # A container may forbid it; then it has a weight of its own.
        with contextlib.suppress(OSError):
            _AUTOGROUP.write_text(str(nice))
