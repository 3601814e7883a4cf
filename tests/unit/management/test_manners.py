"""A process that gives way says so to the system, and hands it on to its children."""

from __future__ import annotations

import subprocess
import sys

import pytest

GIVE_WAY = """
import os, sys
from pathlib import Path
from tracing.management.manners import give_way

group = Path("/proc/self/autogroup")
before = os.nice(0)
give_way(int(sys.argv[1]))
# Linux without them has no such file; a session that began before them has an empty one.
said = group.read_text().split() if group.exists() else []
print(os.nice(0) - before, said[-1] if said else "none", flush=True)
"""


def given(nice: int, *, own_session: bool) -> tuple[str, str]:
    """Return by how much a new process gives way, and what its session's own value is then."""
    done = subprocess.run(
        [sys.executable, "-c", GIVE_WAY, str(nice)],
        start_new_session=own_session,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    by, group = done.stdout.split()
    return by, group


def test_it_gives_way_as_a_process_alone_in_a_session_of_others() -> None:
    assert given(3, own_session=False)[0] == "3"


def test_a_session_of_its_own_gives_way_as_a_whole() -> None:
    if given(0, own_session=True)[1] == "none":
        pytest.skip("a system that does not weigh sessions")

    assert given(3, own_session=True) == ("3", "3")


def test_nought_changes_nothing() -> None:
    by, group = given(0, own_session=True)

    assert by == "0"
    assert group in {"0", "none"}
