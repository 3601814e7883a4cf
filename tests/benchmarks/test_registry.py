"""2,000 subjects of 20 versions: how long lists, searches and a mirror of them take."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.servers.embedded import embedded_broker
from tests.servers.processes import MANAGE, Process
from tests.servers.product import Product, running_product

pytestmark = [pytest.mark.broker, pytest.mark.long]

SCRIPTS = Path(__file__).parent / "registry"
TIMES = 40
PAGES = {
    "list": "/schemas/",
    "list, far behind": "/schemas/?after=refund-1900",
    "search, subject": "/schemas/?q=payment",
    "search, one letter": "/schemas/?q=o",
    "search, field": "/schemas/?q=field1",
    "search, two words": "/schemas/?q=paym+field",
    "search, nothing": "/schemas/?q=nothing",
    "subject": "/schemas/subject/order-0000-value",
}


def test_many_entries_are_listed_searched_and_mirrored(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as broker, running_product(tmp_path, broker) as product:
        seed = product.manage("shell", "-c", (SCRIPTS / "seed.py").read_text())
        assert seed.wait(300) == 0, seed.output
        for name, path in PAGES.items():
            measure(product, name, path)
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
            assert mirror.wait(900) == 0, mirror.output
            print(mirror.output)  # noqa: T201


def measure(product: Product, name: str, path: str) -> None:
    """Print how long a page takes over HTTP, a connection for each request."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        status, _body = product.get(path)
        took.append((time.perf_counter() - began) * 1_000)
        assert status == 200
    took.sort()
    print(  # noqa: T201
        f"Measured: {name} ({path}) over HTTP: median {took[TIMES // 2]:.0f} ms,"
        f" p95 {took[int(TIMES * 0.95)]:.0f} ms"
    )
