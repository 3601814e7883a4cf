"""A disk that is full: the pages say it in words, and room is all that ingest needs to go on."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.contracts.ingested import Ingested
from tests.servers.disk import Disk, small_disk
from tests.servers.postgres import postgres_cluster
from tests.servers.product import Product, running_product
from tests.strangers.producing import create_topics

pytestmark = [pytest.mark.slow, pytest.mark.apache]

RECOVERY_S = 30
# What an empty database and some records need, and what surely does not fit.
SMALL_MB, LARGE_MB = 24, 400


@contextmanager
def filling(apache: str, folder: Path, url: str, group: str) -> Iterator[Ingested]:
    """Yield a product that reads topics of its own."""
    topics = [f"{group}-{name}" for name in ("orders", "payments")]
    create_topics(apache, topics)
    env = {"EVENTVIZ_KAFKA_TOPICS": f"{group}-*", "EVENTVIZ_KAFKA_GROUP": group}
    with running_product(folder, apache, database=url, env=env) as product:
        yield Ingested(product, apache, url, topics)


def banner(product: Product) -> bool:
    """Tell whether the pages say that the database is full."""
    return "The database is full" in product.get("/flows/")[1]


def fill_and_make_room(ingested: Ingested, disk: Disk) -> None:
    """Send more than fits; make room; everything is there, each once."""
    product = ingested.product
    # A first visit is written down; later ones are not.
    assert not banner(product)
    ingested.send(600, padding=16_000)
    product.wait_for(lambda: banner(product), "the page says that it is full")
    log = product.processes["ingest"].log
    product.wait_for(lambda: "Trying again in 0.8 s" in log.read_text(), "growing waits")

    victim = product.processes["ingest"]
    victim.send(signal.SIGTERM)
    assert victim.wait(10) == 0
    product.manage("ingest")
    product.wait_for(lambda: banner(product), "it is said again")
    disk.limit(LARGE_MB)

    ingested.wait_for_all(within_s=2 * RECOVERY_S)
    product.wait_for(lambda: not banner(product), "that all is well again")
    ingested.check_each_once()


def test_sqlite_on_a_full_disk_goes_on_by_itself_once_there_is_room(
    apache: str, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", SMALL_MB) as disk:
        url = f"sqlite:///{disk.path / 'eventviz.sqlite3'}"
        with filling(apache, tmp_path, url, "full-sqlite") as ingested:
            fill_and_make_room(ingested, disk)


@pytest.mark.postgres
def test_postgres_on_a_full_disk_goes_on_by_itself_once_there_is_room(
    apache: str, tmp_path: Path
) -> None:
    with postgres_cluster() as cluster, small_disk(cluster.folder / "disk", SMALL_MB) as disk:
        if os.getuid() == 0:
            shutil.chown(disk.path, "postgres", "postgres")
        server = cluster.url.removesuffix("eventviz") + "postgres"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{disk.path}'")
            connection.execute("ALTER DATABASE eventviz SET TABLESPACE small")
        with filling(apache, tmp_path, cluster.url, "full-postgres") as ingested:
            fill_and_make_room(ingested, disk)
        cluster.stop("immediate")
