"""Java libraries, fetched by Maven once into .cache/."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.servers.fetching import alone, fetch

# A server that lives for minutes: a quick start counts for more than quick answers.
QUICK_START = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def fetch_jars(pom: Path, folder: Path) -> None:
    """Copy the jars that a pom names into a folder; nothing happens when they are there."""
    done = folder / "complete"
    with alone(folder):
        if done.exists():
            return
        # The goal of the plugin needs no build file of its own but the one that names the jars.
        command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        fetch([*command, f"-DoutputDirectory={folder}"])
        done.touch()


def compile_java(folder: Path, jars: Path, classes: Path) -> str:
    """Compile a folder of Java files against the jars; return the class path to run them with."""
    sources = [str(source) for source in sorted(folder.glob("*.java"))]
    command = ["javac", "-parameters", "-cp", f"{jars}/*", "-d", str(classes)]
    subprocess.run([*command, *sources], check=True)
    return f"{classes}:{jars}/*"
