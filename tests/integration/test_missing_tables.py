"""Commands on a database without tables say what to do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.servers.processes import MANAGE, ROOT


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
