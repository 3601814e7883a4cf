"""A process refuses a database without its tables instead of trying for ever."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tracing.management.migrated import check_migrated

ROOT = Path(__file__).resolve().parents[2]


def test_a_migrated_database_is_fine(db: None) -> None:
    check_migrated()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["ingest", "work"])
def test_it_says_to_migrate_first(tmp_path: Path, command: str) -> None:
    file = tmp_path / "empty.sqlite3"
    sqlite3.connect(file).close()

    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env={**os.environ, "EVENTVIZ_DATABASE_URL": f"sqlite:///{file}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert "Run manage.py migrate first" in done.stderr
    assert "Trying again" not in done.stderr
