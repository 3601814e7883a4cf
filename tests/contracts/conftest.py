"""Strangers that the product must understand."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.processes import CACHE, ROOT


@pytest.fixture(scope="session")
def kafkajs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the kafkajs producer and its package, installed by npm."""
    source = ROOT / "tests" / "strangers" / "kafkajs"
    folder = CACHE / "strangers" / "kafkajs"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    packages = ("zstd-codec", "@kafkajs/confluent-schema-registry")
    if not all((folder / "node_modules" / name).exists() for name in packages):
        quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(["npm", "install", *quiet], cwd=folder, check=True)
    return folder
