"""Write requirements/*.txt from pyproject.toml: every package pinned, those behind ours too.

`make requirements` runs it. pip resolves the largest set once; the smaller ones are resolved
under its versions, so that they agree. The files name packages and versions, never an index:
where packages come from is the business of the machine that installs them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
# Each set holds the ones before it; the value names the extras of pyproject.toml.
SETS = {
    "check": ("demo", "test", "check"),
    "test": ("demo", "test"),
    "demo": ("demo",),
    "base": (),
}
HEADER = "# Made by `make requirements` from pyproject.toml. Change that file instead.\n"


def wanted(extras: tuple[str, ...]) -> list[str]:
    """Return what pyproject.toml asks for: the project's own and those of the extras."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(line for extra in extras for line in optional[extra])]


def resolve(lines: list[str], constraints: Path | None) -> list[str]:
    """Return `name==version` of everything pip would install, sorted. Asks the index."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    command += ["--quiet", "--disable-pip-version-check", "--report", "-"]
    if constraints:
        command += ["--constraint", str(constraints)]
    report = json.loads(
        subprocess.run([*command, *lines], check=True, stdout=subprocess.PIPE).stdout
    )
    return sorted(
        f"{item['metadata']['name'].lower()}=={item['metadata']['version']}"
        for item in report["install"]
    )


def main() -> None:
    """Write the four files."""
    constraints = None
    for name, extras in SETS.items():
        file = FOLDER / f"{name}.txt"
        file.write_text(HEADER + "\n".join(resolve(wanted(extras), constraints)) + "\n")
        constraints = constraints or file


if __name__ == "__main__":
    main()
