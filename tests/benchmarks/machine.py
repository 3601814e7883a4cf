"""What processes cost, children included, and what kind of machine it was. Linux alone."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def tree(root: int) -> list[int]:
    """Return a process and all below it; empty when it has ended."""
    found = []
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        try:
            tasks = list((PROC / str(pid) / "task").iterdir())
        except OSError:
            continue
        found.append(pid)
        for task in tasks:
            waiting += [int(child) for child in _read(task / "children").split()]
    return found


def cpu_s(root: int) -> float:
    """Return user and system time of a process tree, with that of children that have ended."""
    total = 0
    for pid in tree(root):
        # Behind the name, which may hold spaces: user, system, and both of ended children.
        fields = _read(PROC / str(pid) / "stat").rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def memory_mb(root: int) -> float:
    """Return the memory of a process tree; what processes share is divided between them."""
    total = 0
    for pid in tree(root):
        for line in _read(PROC / str(pid) / "smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def parent_of(pid: int) -> int:
    """Return the process that started this one."""
    return int(_read(PROC / str(pid) / "stat").rpartition(")")[2].split()[1])


def busy_s() -> float:
    """Return the time that all cores together have worked, for whomever, since the machine began.

    Time that a virtual machine waited for its host counts as work of others.
    """
    user, nice, system, _idle, _wait, *rest = _read(PROC / "stat").splitlines()[0].split()[1:9]
    return sum(map(int, (user, nice, system, *rest))) / TICKS


def touch_memory() -> None:
    """Write to as much free memory as a system may take, and free it again.

    A virtual machine gets memory from its host when it first writes to it, and may give it back
    when it is free: then a page costs several times its price. A system that takes a gigabyte
    would pay for that, and one that comes after it would not.
    """
    subprocess.run([sys.executable, "-c", _TOUCH], check=True)


# In a process of its own: what it takes is gone with it.
_TOUCH = """
import mmap
available = next(line for line in open("/proc/meminfo") if line.startswith("MemAvailable"))
size = min(4 << 30, int(available.split()[1]) * 1024 * 8 // 10)
memory = mmap.mmap(-1, size)
for at in range(0, size, mmap.PAGESIZE):
    memory[at] = 1
"""


def describe() -> dict[str, str | int]:
    """Return what a reader must know of the machine to judge the figures."""
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in _read(PROC / "cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": processor,
        "cores": os.cpu_count() or 0,
        "memory_gb": round(memory / 1024**3),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
    }


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
