"""A Postgres cluster in a temporary folder; the server refuses root, so root steps down."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import free_port

SHELF = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """Return the folder that holds initdb and pg_ctl: of the newest installed version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(SHELF.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def run(command: Sequence[str], folder: Path) -> None:
    """Run one of its programs as a user that it accepts. Raises CalledProcessError."""
    asuser = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    with (folder / "postgres.log").open("ab") as log:
        subprocess.run([*asuser, *command], check=True, cwd=folder, stdout=log, stderr=log)


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """Run a cluster; yield the URL of its empty database.

    Only a `durable` one waits for its disk at each commit, as a real one does.
    """
    binaries = programs()
    if binaries is None:
        raise FileNotFoundError("initdb")
    port = free_port()
    # Not below pytest's folder: the server's user may not enter that one.
    with tempfile.TemporaryDirectory(prefix="eventviz-postgres-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = str(folder / "data")
        run([str(binaries / "initdb"), "-D", data, "-U", "eventviz", "-A", "trust", "-N"], folder)
        options = f"-p {port} -k {folder} -h 127.0.0.1 -c max_connections=200"
        if not durable:
            # Nothing here outlives the tests.
            options += " -F"
        control = [str(binaries / "pg_ctl"), "-D", data, "-w"]
        run([*control, "-o", options, "-l", str(folder / "server.log"), "start"], folder)
        try:
            createdb = [str(binaries / "createdb"), "-h", "127.0.0.1", "-p", str(port)]
            run([*createdb, "-U", "eventviz", "eventviz"], folder)
            yield f"postgres://eventviz@127.0.0.1:{port}/eventviz"
        finally:
            run([*control, "-m", "immediate", "stop"], folder)
