"""2,000 subjects of 20 versions: how long lists, searches and a mirror of them take."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.embedded import embedded_broker
from tests.servers.processes import MANAGE, Process
from tests.servers.product import running_product

pytestmark = [pytest.mark.broker, pytest.mark.long]

SCRIPTS = Path(__file__).parent / "registry"


def test_many_entries_are_listed_searched_and_mirrored(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as broker, running_product(tmp_path, broker) as product:
        for script in ("seed", "look"):
            ran = product.manage("shell", "-c", (SCRIPTS / f"{script}.py").read_text())
            assert ran.wait(300) == 0, ran.output
        print(ran.output)  # noqa: T201
        other = tmp_path / "other"
        other.mkdir()
        env = {
            **product.env,
            "EVENTVIZ_DATABASE_URL": f"sqlite:///{other / 'other.sqlite3'}",
            "EVENTVIZ_SCHEMA_REGISTRY_URL": f"{product.url}/registry",
        }
        with Process("migrate", [*MANAGE, "migrate"], other / "migrate.log", env=env) as migrate:
            assert migrate.wait(60) == 0, migrate.output
        script = (SCRIPTS / "mirror.py").read_text()
        command = [*MANAGE, "shell", "-c", script]
        with Process("mirror", command, other / "mirror.log", env=env) as mirror:
            assert mirror.wait(600) == 0, mirror.output
            print(mirror.output)  # noqa: T201
