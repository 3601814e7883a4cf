"""Java libraries, fetched by Maven once into .cache/."""

from __future__ import annotations

import subprocess
from pathlib import Path

# A server that lives for minutes: a quick start counts for more than quick answers.
QUICK_START = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def fetch_jars(pom: Path, folder: Path) -> None:
    """Copy the jars that a pom names into a folder; nothing happens when they are there."""
    done = folder / "complete"
    if done.exists():
        return
    # The goal of the plugin needs no build file of its own but the one that names the jars.
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    subprocess.run([*command, f"-DoutputDirectory={folder}"], check=True)
    done.touch()
