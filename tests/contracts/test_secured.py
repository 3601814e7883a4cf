"""Clusters that want to know who we are: Apache Kafka with SASL, TLS and client certificates."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.apache import Apache, apache_node
from tests.servers.certificates import Authority
from tests.servers.processes import MANAGE, Process
from tests.servers.product import Product, running_product
from tests.strangers.producing import Sent, create_topics, envelope, send

pytestmark = [pytest.mark.slow, pytest.mark.apache]

LISTENERS = {
    "PLAIN": "SASL_PLAINTEXT",
    "SCRAM": "SASL_PLAINTEXT",
    "BEARER": "SASL_PLAINTEXT",
    "TLS": "SSL",
    "MUTUAL": "SSL",
    "SCRAMTLS": "SASL_SSL",
}
MODULES = "org.apache.kafka.common.security"
USERS = """\
listener.name.plain.sasl.enabled.mechanisms=PLAIN
listener.name.plain.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required \
user_alice="wonder land";
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512
listener.name.scram.scram-sha-256.sasl.jaas.config={modules}.scram.ScramLoginModule required;
listener.name.scram.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;
listener.name.scramtls.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scramtls.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;
listener.name.bearer.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.bearer.oauthbearer.sasl.jaas.config={modules}.oauthbearer.OAuthBearerLoginModule \
required unsecuredLoginStringClaim_sub="broker";
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
listener.name.mutual.ssl.client.auth=required
"""


class Cluster:
    """A node with a listener for each way to sign in, and what each way needs."""

    def __init__(self, node: Apache, authority: Authority, folder: Path) -> None:
        """Make the client's certificate and token."""
        self.node = node
        self.ca = str(authority.ca)
        pair = authority.issue("eventviz", password="locked")
        self.certificate, self.key = str(pair.certificate), str(pair.key)
        self.password = folder / "password"
        self.password.write_text("looking=glass\n")
        self.token = folder / "token"
        self.token.write_text(unsecured_token())

    def settings(self, way: str) -> tuple[str, dict[str, str]]:
        """Return the listener and the variables of a way to sign in."""
        tls = {"SSL_CA_FILE": self.ca}
        scram = {"SASL_USERNAME": "bob", "SASL_PASSWORD_FILE": str(self.password)}
        listener, more = {
            "plain": (
                "PLAIN",
                {"SASL_MECHANISM": "PLAIN", "SASL_USERNAME": "alice"}
                | {"SASL_PASSWORD": "wonder land"},
            ),
            "scram-256": ("SCRAM", scram | {"SASL_MECHANISM": "SCRAM-SHA-256"}),
            "scram-512": ("SCRAM", scram | {"SASL_MECHANISM": "SCRAM-SHA-512"}),
            "token": (
                "BEARER",
                {"SASL_MECHANISM": "OAUTHBEARER", "OAUTH_TOKEN_FILE": str(self.token)},
            ),
            "tls": ("TLS", tls),
            "mutual": (
                "MUTUAL",
                tls
                | {"SSL_CERT_FILE": self.certificate, "SSL_KEY_FILE": self.key}
                | {"SSL_KEY_PASSWORD": "locked"},
            ),
            "scram-tls": ("SCRAMTLS", scram | tls | {"SASL_MECHANISM": "SCRAM-SHA-512"}),
        }[way]
        found = {"SECURITY_PROTOCOL": LISTENERS[listener], **more}
        return listener, {f"EVENTVIZ_KAFKA_{name}": value for name, value in found.items()}


def unsecured_token() -> str:
    """Return a token that Kafka's own validator for development takes."""

    def part(content: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    now = int(time.time())
    return f"{part({'alg': 'none'})}.{part({'sub': 'eventviz', 'iat': now, 'exp': now + 3600})}."


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a node with all its listeners."""
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder)
    more = USERS.format(
        modules=MODULES, keystore=authority.issue("broker").joined(), ca=authority.ca
    )
    scram = [
        f"SCRAM-SHA-{bits}=[name=bob,iterations=4096,password=looking=glass]" for bits in (256, 512)
    ]
    with apache_node(folder, listeners=LISTENERS, more=more, scram=scram) as node:
        yield Cluster(node, authority, folder)


@pytest.fixture(scope="module")
def pages(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Yield the product's pages; each test starts an ingestor of its own."""
    folder = tmp_path_factory.mktemp("pages")
    with running_product(folder, cluster.node.address()) as product:
        product.processes["ingest"].end()
        yield product


@contextmanager
def ingestor(
    cluster: Cluster, pages: Product, way: str, *, topics: str, **changed: str
) -> Iterator[Process]:
    """Run an ingestor that signs in this way."""
    listener, settings = cluster.settings(way)
    env = {**pages.env, **settings, "EVENTVIZ_KAFKA_TOPICS": topics}
    env |= {f"EVENTVIZ_KAFKA_{name}": value for name, value in changed.items()}
    env["EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS"] = cluster.node.address(listener)
    log = pages.folder / f"ingest-{uuid.uuid4()}.log"
    with Process("ingest", [*MANAGE, "ingest"], log, env=env) as process:
        pages.processes["ingest"] = process
        yield process


@pytest.mark.parametrize(
    "way", ["plain", "scram-256", "scram-512", "token", "tls", "mutual", "scram-tls"]
)
def test_a_flow_comes_from_a_cluster_that_wants_a_sign_in(
    cluster: Cluster, pages: Product, way: str
) -> None:
    topic, flow = f"orders-{way}", f"flow-{uuid.uuid4()}"
    create_topics(cluster.node.address(), [topic])
    send(cluster.node.address(), [Sent(topic, envelope("OrderPlaced", correlation_id=flow))])

    with ingestor(cluster, pages, way, topics=topic) as process:
        found = pages.wait_for_flow(flow, events=1)
        log = process.output

    assert found["events"][0]["topic"] == topic
    assert flow in [line["correlation_id"] for line in pages.json("/api/flows")["flows"]]
    for secret in ("wonder land", "looking=glass", "locked", cluster.token.read_text()):
        assert secret not in log


@pytest.mark.parametrize(
    ("way", "changed"),
    [
        ("plain", {"SASL_PASSWORD": "of course not"}),
        ("scram-256", {"SASL_USERNAME": "of course not"}),
        ("token", {"SASL_MECHANISM": "OAUTHBEARER", "OAUTH_TOKEN_FILE": "/there/is/none"}),
        ("tls", {"SSL_CA_FILE": ""}),
        ("mutual", {"SSL_CERT_FILE": "", "SSL_KEY_FILE": "", "SSL_KEY_PASSWORD": ""}),
    ],
)
def test_a_refused_sign_in_is_said_on_the_page(
    cluster: Cluster, pages: Product, way: str, changed: dict[str, str]
) -> None:
    with ingestor(cluster, pages, way, topics="none", **changed) as process:
        pages.wait_for(
            lambda: "The broker does not let us in" in pages.get("/flows/")[1],
            "the page says that the broker refuses",
        )
        page, log = pages.get("/flows/")[1], process.output

    assert "of course not" not in page + log
    assert "Traceback" not in log
