"""Fixtures of every test: real servers, and a last line that names what a run left out."""

from __future__ import annotations

import filecmp
import gc
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.servers.apache import apache_kafka
from tests.servers.apicurio import running_apicurio
from tests.servers.embedded import embedded_broker
from tests.servers.fetching import alone, fetch
from tests.servers.postgres import postgres
from tests.servers.processes import CACHE, ROOT
from tests.servers.product import Product, running_product
from tracing.kafka import sockets

# A test that asks for one of these fixtures bears the marker: nobody has to remember it.
MARKERS = {
    "broker": "broker",
    "apache": "apache",
    "apicurio": "apicurio",
    "kafkajs": "node",
    "postgres_url": "postgres",
}
OUTSIDE = ("browser", "apache", "apicurio", "node", "postgres", "long")
# A busy machine is no defect: how long an example takes is for the benchmarks to say.
UNTIMED = [HealthCheck.too_slow]
hypothesis_settings.register_profile("untimed", deadline=None, suppress_health_check=UNTIMED)
# What `make test-long` draws of each property; some draw but a share of it (tests/examples.py).
hypothesis_settings.register_profile(
    "thorough", parent=hypothesis_settings.get_profile("untimed"), max_examples=2_000
)
hypothesis_settings.load_profile("untimed")

LEFT_OUT = pytest.StashKey[dict[str, int]]()


# Before the first test


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector pass over what collecting makes: all of it stays to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


# What a run left out


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the servers that it asks for, before `-m` chooses."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARKERS:
                item.add_marker(MARKERS[fixture])


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count; let strangers' clients, too, close what they open."""
    sockets.install()
    config.stash[LEFT_OUT] = {}


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count what `-m` or `-k` left out, once a test, under the first reason."""
    for item in items:
        asked = item.config.option.markexpr
        reasons = [name for name in OUTSIDE if item.get_closest_marker(name) and name in asked]
        if not reasons and item.get_closest_marker("timed"):
            # The make targets run these before, alone.
            continue
        reason = reasons[0] if reasons else "other"
        left_out = item.config.stash[LEFT_OUT]
        left_out[reason] = left_out.get(reason, 0) + 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a parallel worker's count to the process that reports."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash[LEFT_OUT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take a worker's count: each of them collects every test, so one stands for all."""
    found = getattr(node, "workeroutput", {}).get("left_out")
    if found:
        node.config.stash[LEFT_OUT] = found


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show what tests measured, and name what was left out with the command that runs it."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(f"Measured: {value}")
    left_out = config.stash[LEFT_OUT]
    if config.option.markexpr.startswith("timed"):
        # The others run next, and name what was left out.
        return
    names = [f"{name} {left_out[name]}" for name in (*OUTSIDE, "other") if name in left_out]
    if names:
        how = "make test-long" if set(left_out) == {"long"} else "make test-full"
        terminalreporter.write_line(f"Left out: {', '.join(names)}. To run them: {how}")


# What a failure shows


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of the product to the report of a test that failed."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Product):
                report.sections.append(("the product's processes", value.logs()))
    return report


# Servers


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Keep SQLite's test database in a file: in memory it has no WAL and locks whole tables."""
    database: dict[str, Any] = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        folder = tmp_path_factory.mktemp("database")
        database.setdefault("TEST", {})["NAME"] = str(folder / "test.sqlite3")
    else:
        # A test is one transaction, and may think for longer than an ingestor.
        database["OPTIONS"].pop("options", None)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of an embedded broker; tests share it, so each names its own topics."""
    with embedded_broker(tmp_path_factory.mktemp("broker")) as address:
        yield address


@pytest.fixture(scope="session")
def apache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of an Apache Kafka node."""
    with apache_kafka(tmp_path_factory.mktemp("apache")) as address:
        yield address


@pytest.fixture(scope="session")
def apicurio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a schema registry."""
    with running_apicurio(tmp_path_factory.mktemp("apicurio")) as url:
        yield url


@pytest.fixture(scope="session")
def kafkajs() -> Path:
    """Return a folder with the kafkajs producer and its packages, installed by npm."""
    source = ROOT / "tests" / "strangers" / "kafkajs"
    folder = CACHE / "strangers" / "kafkajs"
    packages = ("zstd-codec", "@kafkajs/confluent-schema-registry")
    quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    with alone(folder):
        shutil.copytree(source, folder, dirs_exist_ok=True, copy_function=_copy_changed)
        if not all((folder / "node_modules" / name).exists() for name in packages):
            fetch(["npm", "install", *quiet], cwd=folder)
    return folder


def _copy_changed(source: str, target: str) -> None:
    """Copy a file unless it is there: another process may be running it at this moment."""
    if not (Path(target).exists() and filecmp.cmp(source, target, shallow=False)):
        shutil.copy2(source, target)


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """Yield the URL of an empty Postgres database."""
    with postgres() as url:
        yield url


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Yield a running product on an embedded broker of its own, without the shop."""
    folder: Path = tmp_path_factory.mktemp("product")
    with embedded_broker(folder) as address, running_product(folder, address) as running:
        yield running
