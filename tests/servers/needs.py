"""What the larger tests need on the machine, and how to get it."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from tests.servers.browser import chromium_path
from tests.servers.postgres import programs

# Name -> (is it there?, what to install on a Debian-like machine).
NEEDS: dict[str, tuple[Callable[[], object], str]] = {
    "chromium": (chromium_path, "apt-get install chromium   (or CHROMIUM=/path/to/a/browser)"),
    "java": (lambda: shutil.which("java"), "apt-get install default-jre-headless"),
    "mvn": (lambda: shutil.which("mvn"), "apt-get install maven"),
    "node": (lambda: shutil.which("node"), "apt-get install nodejs"),
    "npm": (lambda: shutil.which("npm"), "apt-get install npm"),
    "postgres": (programs, "apt-get install postgresql"),
}


def missing(names: list[str]) -> list[str]:
    """Return one line for each of them that is not on this machine."""
    return [f"{name} is missing: {NEEDS[name][1]}" for name in names if not NEEDS[name][0]()]
