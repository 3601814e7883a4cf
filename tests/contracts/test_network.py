"""A slow and broken network around an ingestor: it recovers, loses nothing, doubles nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.contracts.ingested import Ingested
from tests.servers.apache import apache_node
from tests.servers.postgres import postgres_cluster
from tests.servers.processes import MANAGE, Process
from tests.servers.product import running_product
from tests.servers.proxy import Proxy, proxy
from tests.strangers.producing import create_topics

pytestmark = [pytest.mark.slow, pytest.mark.apache, pytest.mark.postgres]

RECOVERY_S = 30


@dataclass
class Far:
    """An ingestor that reaches its broker and its database over bad networks only."""

    ingested: Ingested
    to_broker: Proxy
    to_database: Proxy
    env: Mapping[str, str]

    def start(self) -> None:
        """Start the ingestor."""
        product = self.ingested.product
        log = product.folder / "far.log"
        product.processes["far"] = Process("far", [*MANAGE, "ingest"], log, env=self.env)

    def send_and_see_some(self, flows: int) -> None:
        """Send flows; return once the first of their events are stored, or more."""
        before = len(self.ingested.sent)
        self.ingested.send(flows)
        self.ingested.wait_for(before + 1)

    def wait_for_page(self, words: str) -> None:
        """Wait until the pages say it; they have a network of their own."""
        product = self.ingested.product
        product.wait_for(lambda: words in product.get("/flows/")[1], words)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """Yield it, with the topics made and nothing sent."""
    folder = tmp_path_factory.mktemp("network")
    listeners = {"FAR": "PLAINTEXT"}
    with (
        proxy() as to_broker,
        apache_node(folder, listeners=listeners, advertised={"FAR": to_broker.port}) as node,
        postgres_cluster() as cluster,
        proxy(cluster.port) as to_database,
    ):
        to_broker.to = node.ports["FAR"]
        topics = ["orders", "payments"]
        create_topics(node.address(), topics)
        with running_product(folder, node.address(), database=cluster.url) as product:
            product.processes["ingest"].end()
            url = cluster.url.replace(str(cluster.port), str(to_database.port))
            env = {
                **product.env,
                "EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{to_broker.port}",
                "EVENTVIZ_DATABASE_URL": url,
            }
            ingested = Ingested(product, node.address(), cluster.url, topics)
            far = Far(ingested, to_broker, to_database, env)
            far.start()
            yield far


@pytest.fixture
def far(servers: Far) -> Far:
    """Return it, with all that was sent stored."""
    servers.ingested.send(10)
    servers.ingested.wait_for_all(within_s=RECOVERY_S)
    return servers


def test_slow_lines_and_cut_connections_cost_time_alone(far: Far) -> None:
    for line in (far.to_broker, far.to_database):
        line.delay_s = 0.05
        far.ingested.send(50)
        far.ingested.wait_for_all()
        line.bytes_per_s = 200_000
        far.send_and_see_some(200)
        line.cut()
        line.mend()
        far.send_and_see_some(200)
        line.cut()

        far.ingested.wait_for_all(within_s=RECOVERY_S)

    far.ingested.check_each_once()


def test_a_line_to_the_broker_that_delivers_nothing_is_said_and_waited_for(far: Far) -> None:
    far.to_broker.stall()
    far.ingested.send(200)
    far.wait_for_page("The broker does not answer")

    far.to_broker.mend()

    far.ingested.wait_for_all(within_s=RECOVERY_S)
    far.ingested.check_each_once()


def test_a_line_to_the_database_that_delivers_nothing_is_waited_for(far: Far) -> None:
    far.to_database.stall()
    far.ingested.send(200)
    far.wait_for_page("Ingest is not running")

    far.to_database.mend()

    far.ingested.wait_for_all(within_s=RECOVERY_S)
    far.ingested.check_each_once()


@pytest.mark.parametrize("line", ["to_broker", "to_database"])
def test_who_waits_for_a_line_that_delivers_nothing_ends_within_ten_seconds(
    far: Far, line: str
) -> None:
    getattr(far, line).stall()
    far.ingested.send(200)
    far.wait_for_page({"to_broker": "does not answer", "to_database": "is not running"}[line])

    process = far.ingested.product.processes["far"]
    process.send(signal.SIGTERM)

    assert process.wait(10) == 0
    getattr(far, line).mend()
    far.start()
    far.ingested.wait_for_all(within_s=RECOVERY_S)
    far.ingested.check_each_once()
