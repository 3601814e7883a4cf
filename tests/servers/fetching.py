"""Fetch what the tests need into .cache/, once, whoever else wants it at the same moment."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from tests.servers.processes import CACHE

TRIES = 3


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder of the cache: of two who fetch into it at once, one uses half a file."""
    CACHE.mkdir(exist_ok=True)
    with FileLock(CACHE / f"{folder.name}.lock"):
        yield


def fetch(command: Sequence[str], cwd: Path | None = None) -> None:
    """Run what downloads; a network that fails once is asked again. Raises CalledProcessError."""
    for left in reversed(range(TRIES)):
        done = subprocess.run(command, cwd=cwd, check=not left)
        if done.returncode == 0:
            return
