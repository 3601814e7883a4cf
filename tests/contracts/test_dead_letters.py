"""Dead letters of real frameworks on Apache Kafka: grouped, shown, retried byte for byte."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.servers.connect import DEAD_LETTERS, kafka_connect
from tests.servers.product import Product, running_product
from tests.servers.spring import EFFECTS, TOPICS, Spring, spring_service
from tests.servers.streams import TOPICS as STOCK
from tests.servers.streams import kafka_streams
from tests.strangers.failed import SHIPMENTS, failing, no_stock, read, unreadable
from tests.strangers.producing import Sent, create_topics, send
from tracing.domain.record import Record
from tracing.retry.outgoing import RETRY_ID

pytestmark = [pytest.mark.long, pytest.mark.slow]

NOT_UTF8 = "java.nio.charset.MalformedInputException"
DOWN = "java.net.ConnectException"
IDS = "java.lang.IllegalArgumentException"
# (source topic, consumer, exception) -> dead letters.
GROUPS: dict[tuple[str, str | None, str], int] = {
    ("invoices", "billing", DOWN): 1,
    ("invoices", "billing", IDS): 1,
    ("shipments", "shipping", DOWN): 1,
    ("shipments", "shipping", IDS): 1,
    ("ledger", "ledger-sink", "com.fasterxml.jackson.core.io.JsonEOFException"): 1,
    ("ledger", "ledger-sink", "com.fasterxml.jackson.core.JsonParseException"): 1,
    ("ledger", "ledger-sink", "java.lang.NumberFormatException"): 1,
    ("stock", None, "org.apache.kafka.common.errors.SerializationException"): 1,
    ("stock", None, "java.lang.ArithmeticException"): 1,
}
# What no consumer could read is no event, so these may make one group or two.
UNREAD = 2 * 2
# The topic that Kafka Connect wrote without headers stands for its source.
SILENT = 3


class Strangers:
    """The product beside services that have failed at every record that they were given."""

    def __init__(self, product: Product, spring: Spring, given: dict[str, list[Sent]]) -> None:
        """Keep them; `given` are the records that each topic was given first."""
        self.product = product
        self.spring = spring
        self.given = given

    def groups(self) -> list[dict[str, Any]]:
        """Return the groups of the inbox."""
        found: list[dict[str, Any]] = self.product.json("/api/dead-letters?limit=100")["groups"]
        return found

    def group(self, topic: str, exception: str | None) -> dict[str, Any]:
        """Return the group of a topic's failures with this exception."""
        return next(
            group
            for group in self.groups()
            if (group["source_topic"], group["exception"]) == (topic, exception)
        )

    def retry(self, **selection: object) -> dict[str, Any]:
        """Retry a selection and return the run once it has sent."""
        body = {"kind": "retry", "reason": "the ledger is up again", **selection}
        run: dict[str, Any] = self.product.post("/api/retries", body)

        def sent() -> dict[str, Any] | None:
            now: dict[str, Any] = self.product.json(f"/api/retries/{run['id']}")
            return now if now["sent"] + now["processed"] + now["failed_again"] else None

        return self.product.wait_for(sent, "the retry to be sent")

    def outcome(self, run: dict[str, Any], field: str) -> int:
        """Return a counter of a run once it is above zero."""

        def counted() -> int:
            return int(self.product.json(f"/api/retries/{run['id']}")[field])

        return self.product.wait_for(counted, f"{field} of the run")

    def arrived(self, topic: str, key: bytes | None) -> Record:
        """Return what eventviz sent to a topic with this key."""
        before = len(self.given[topic])

        def found() -> list[Record]:
            records = read(self.product.broker, [topic], before + 1)
            return [record for record in records[before:] if record.key == key]

        return self.product.wait_for(found, f"{key!r} on {topic}")[0]

    def is_as_given(self, record: Record) -> bool:
        """Tell whether a record equals one that its topic was given first, but for the retry's id.

        That is its last header.
        """
        name, retry_id = record.headers[-1]
        before = (record.key, record.value, record.headers[:-1])
        given = [(sent.key, sent.value, sent.headers) for sent in self.given[record.topic]]
        return bool(name == RETRY_ID and retry_id and before in given)


@pytest.fixture(scope="module")
def strangers(apache: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strangers]:
    """Yield the product with every dead letter in a group."""
    folder: Path = tmp_path_factory.mktemp("strangers")
    given = {topic: failing(topic) for topic in TOPICS}
    given |= {topic: unreadable(topic) for topic in DEAD_LETTERS}
    given["stock"] = no_stock()
    names = {*given, *STOCK, *SHIPMENTS, "invoices-dlt", *DEAD_LETTERS.values(), *EFFECTS.values()}
    create_topics(apache, names, partitions=1)
    env = {
        "EVENTVIZ_KAFKA_TOPICS": ",".join(sorted(names)),
        "EVENTVIZ_DEAD_LETTER_TOPICS": "archive-rejects",
    }
    with ExitStack() as stack:
        product = stack.enter_context(running_product(folder, apache, env=env))
        product.manage("work")
        spring = stack.enter_context(spring_service(folder, apache))
        stack.enter_context(kafka_connect(folder, apache))
        stack.enter_context(kafka_streams(folder, apache))
        send(apache, [record for records in given.values() for record in records])
        running = Strangers(product, spring, given)
        wanted = sum(GROUPS.values()) + UNREAD + SILENT

        def all_there() -> bool:
            return wanted == sum(int(group["count"]) for group in running.groups())

        product.wait_for(all_there, f"{wanted} dead letters in groups", within_s=120)
        yield running


def test_the_groups_name_the_innermost_cause(strangers: Strangers) -> None:
    found = {
        (group["source_topic"], group["consumer"], group["exception"]): group["count"]
        for group in strangers.groups()
    }

    assert GROUPS.items() <= found.items()
    assert ("shipments", "shipping", NOT_UTF8) in found
    assert strangers.group("archive-rejects", None)["consumer"] is None


def test_the_inbox_and_each_group_have_a_page(strangers: Strangers) -> None:
    status, inbox = strangers.product.get("/dead-letters/")

    assert status == 200
    for group in strangers.groups():
        assert group["id"] in inbox
        status, page = strangers.product.get(f"/dead-letters/{group['id']}")
        assert status == 200
        assert html.escape(group["source_topic"]) in page


@pytest.mark.parametrize("exception", [DOWN, IDS])
@pytest.mark.parametrize("topic", TOPICS)
def test_a_retried_message_of_spring_arrives_as_it_was_and_recovers(
    strangers: Strangers, topic: str, exception: str
) -> None:
    strangers.spring.mend()
    group = strangers.group(topic, exception)

    run = strangers.retry(group=group["id"])

    assert strangers.outcome(run, "processed") == 1
    key = b"ORD-1" if exception == DOWN else b"ORD-2"
    assert strangers.is_as_given(strangers.arrived(topic, key))

    def resolved() -> bool:
        now = strangers.group(topic, exception)
        return (now["state"], now["recovered"], now["open"]) == ("resolved", 1, 0)

    strangers.product.wait_for(resolved, "the group to recover")


def test_a_retried_message_of_connect_arrives_as_it_was_and_fails_again(
    strangers: Strangers,
) -> None:
    group = strangers.group("ledger", "java.lang.NumberFormatException")

    run = strangers.retry(group=group["id"])

    assert strangers.outcome(run, "failed_again") == 1
    assert strangers.is_as_given(strangers.arrived("ledger", b"ORD-6"))
    # What comes back is no new dead letter.
    again = strangers.group("ledger", "java.lang.NumberFormatException")
    assert (again["count"], again["failed_again"]) == (1, 1)


def test_dead_letters_without_a_word_go_where_a_person_says(strangers: Strangers) -> None:
    strangers.retry(filter={"topic": "archive-rejects"}, target="archive")

    for given in strangers.given["archive"]:
        assert strangers.is_as_given(strangers.arrived("archive", given.key))


def test_a_retried_message_of_streams_arrives_as_it_was(strangers: Strangers) -> None:
    run = strangers.retry(group=strangers.group("stock", "java.lang.ArithmeticException")["id"])

    assert strangers.is_as_given(strangers.arrived("stock", b"ORD-8"))
    assert strangers.outcome(run, "failed_again") == 1
