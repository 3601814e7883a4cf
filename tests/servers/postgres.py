"""A Postgres cluster in a temporary folder; the server refuses root, so root steps down."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
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


class Cluster:
    """A cluster in a folder that the server's user may enter; it can be stopped and started."""

    def __init__(self, binaries: Path, folder: Path, *, durable: bool) -> None:
        """Make its files; nothing runs yet."""
        self._binaries = binaries
        self.folder = folder
        self.port = free_port()
        self.url = f"postgres://eventviz@127.0.0.1:{self.port}/eventviz"
        self._data = str(folder / "data")
        self._options = f"-p {self.port} -k {folder} -h 127.0.0.1 -c max_connections=200"
        if not durable:
            # Nothing here outlives the tests.
            self._options += " -F"
        init = [str(binaries / "initdb"), "-D", self._data, "-U", "eventviz", "-A", "trust", "-N"]
        run(init, folder)

    def start(self) -> None:
        """Run the server until it answers."""
        log = str(self.folder / "server.log")
        self._control("-o", self._options, "-l", log, "start")

    def stop(self, how: str = "fast") -> None:
        """End the server, `fast` or `immediate` (as if it were killed)."""
        self._control("-m", how, "stop")

    def create(self) -> None:
        """Make the empty database."""
        create = [str(self._binaries / "createdb"), "-h", "127.0.0.1", "-p", str(self.port)]
        run([*create, "-U", "eventviz", "eventviz"], self.folder)

    def _control(self, *words: str) -> None:
        run([str(self._binaries / "pg_ctl"), "-D", self._data, "-w", *words], self.folder)


@contextmanager
def postgres_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Run a cluster with an empty database; it may be stopped and started meanwhile."""
    binaries = programs()
    if binaries is None:
        raise FileNotFoundError("initdb")
    # Not below pytest's folder: the server's user may not enter that one.
    with tempfile.TemporaryDirectory(prefix="eventviz-postgres-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        cluster = Cluster(binaries, folder, durable=durable)
        cluster.start()
        try:
            cluster.create()
            yield cluster
        finally:
            with suppress(subprocess.CalledProcessError):
                cluster.stop("immediate")


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """Run a cluster; yield the URL of its empty database.

    Only a `durable` one waits for its disk at each commit, as a real one does.
    """
    with postgres_cluster(durable=durable) as cluster:
        yield cluster.url
