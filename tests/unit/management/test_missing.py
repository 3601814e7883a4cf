"""Commands on a database without tables say what to do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from django.db import OperationalError

from tests.servers.processes import MANAGE, ROOT
from tracing.management.missing import missing_tables


@pytest.mark.parametrize(
    "said", ["no such table: tracing_flow", 'relation "tracing_flow" does not exist\nLINE 1']
)
def test_what_sqlite_and_postgres_say_of_a_missing_table_is_told(said: str) -> None:
    assert "manage.py migrate" in (missing_tables(OperationalError(said)) or "")


def test_any_other_trouble_is_not_about_tables() -> None:
    assert missing_tables(OperationalError("database is locked")) is None


def test_a_command_ends_with_one_line(tmp_path: Path) -> None:
    env = os.environ | {"EVENTVIZ_DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite3'}"}
    done = subprocess.run(
        [*MANAGE, "user", "alice", "--role", "admin"],
        env=env,
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("There are no tables of eventviz in the database ")
    assert "Traceback" not in done.stderr
