"""A database that stops and comes back: the pages say it, and nothing is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.ingested import Ingested
from tests.servers.postgres import Cluster, postgres_cluster
from tests.servers.product import running_product
from tests.strangers.producing import create_topics

pytestmark = [pytest.mark.slow, pytest.mark.apache, pytest.mark.postgres]

RECOVERY_S = 30


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with postgres_cluster() as running:
        yield running


@pytest.fixture
def ingested(apache: str, cluster: Cluster, tmp_path: Path) -> Iterator[Ingested]:
    topics = [f"away-{name}" for name in ("orders", "payments")]
    create_topics(apache, topics)
    env = {"EVENTVIZ_KAFKA_TOPICS": "away-*", "EVENTVIZ_KAFKA_GROUP": "away"}
    with running_product(tmp_path, apache, database=cluster.url, env=env) as product:
        yield Ingested(product, apache, cluster.url, topics)


def test_a_database_that_stops_is_said_waited_for_and_left_in_time(
    ingested: Ingested, cluster: Cluster
) -> None:
    product = ingested.product
    ingested.send(50)
    ingested.wait_for_all()

    cluster.stop()
    ingested.send(200)
    product.wait_for(
        lambda: _seen(ingested) == (503, True), "the page says that the database is away"
    )
    log = product.processes["ingest"].log
    product.wait_for(lambda: "Trying again in 0.4 s" in log.read_text(), "a longer wait")
    cluster.start()

    ingested.wait_for_all(within_s=RECOVERY_S)
    ingested.check_each_once()
    product.wait_for(lambda: product.get("/flows/")[0] == 200, "the page is back")

    cluster.stop("immediate")
    ingested.send(50)
    before = log.read_text().count("Trying again")
    product.wait_for(lambda: log.read_text().count("Trying again") > before, "that it is noticed")
    victim = product.processes["ingest"]
    victim.send(signal.SIGTERM)
    assert victim.wait(10) == 0
    cluster.start()
    product.manage("ingest")
    ingested.wait_for_all(within_s=RECOVERY_S)
    ingested.check_each_once()


def _seen(ingested: Ingested) -> tuple[int, bool]:
    status, page = ingested.product.get("/flows/")
    return status, "The database does not answer" in page
