"""Lend a real server to a command line; the Makefile calls it.

python -m tests.servers need chromium java    says what is missing, and fails if anything is
python -m tests.servers postgres COMMAND...   runs the command with Postgres as the database
python -m tests.servers screenshot FILE       draws the README's picture from the real page
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.servers.needs import missing
from tests.servers.postgres import postgres


def need(names: list[str]) -> int:
    """Say what is missing; return the exit code."""
    lines = missing(names)
    for line in lines:
        sys.stderr.write(line + "\n")
    return 1 if lines else 0


def with_postgres(command: list[str]) -> int:
    """Run the command against a cluster of its own; return its exit code."""
    with postgres() as url:
        sys.stdout.write("With Postgres as the database:\n")
        sys.stdout.flush()
        env = {**os.environ, "EVENTVIZ_DATABASE_URL": url}
        return subprocess.run(command, check=False, env=env).returncode


def main(arguments: list[str]) -> int:
    """Do what the first word says; return the exit code."""
    match arguments:
        case ["need", *names]:
            return need(names)
        case ["postgres", *command] if command:
            return with_postgres(command)
        case ["screenshot", file]:
            # Playwright is loaded only where it is needed: `need` must work without a browser.
            from tests.servers.screenshot import draw

            draw(Path(file))
            return 0
    sys.stderr.write(__doc__ or "")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
