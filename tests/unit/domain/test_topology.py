"""What a topic is for: by its name and by the settings."""

from __future__ import annotations

import pytest

from tracing.domain.topology import ORDINARY, TopicKind, TopicRole, TopicRoles, kind_of

DEAD, RETRY = TopicRole.DEAD_LETTER, TopicRole.RETRY


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("orders", ORDINARY),
        ("orders-dlt", TopicKind(DEAD, "orders")),
        ("orders.DLT", TopicKind(DEAD, "orders")),
        ("orders.dlq", TopicKind(DEAD, "orders")),
        ("dlq-orders", TopicKind(DEAD, "orders")),
        ("dlq", TopicKind(DEAD)),
        ("orders.dead-letter", TopicKind(DEAD, "orders")),
        ("dead-letter-topic-movies", TopicKind(DEAD)),
        ("error.orders.billing", TopicKind(DEAD, "orders")),
        ("error", ORDINARY),
        ("deadlines", ORDINARY),
        ("orders-retry", TopicKind(RETRY, "orders")),
        ("orders-retry-0", TopicKind(RETRY, "orders")),
        ("orders-retry-2", TopicKind(RETRY, "orders", 2)),
        ("orders-retry-60000", TopicKind(RETRY, "orders")),
        ("orders.retry.3", TopicKind(RETRY, "orders", 3)),
        ("retry-policies", ORDINARY),
    ],
)
def test_a_name_tells_the_role(topic: str, kind: TopicKind) -> None:
    assert kind_of(topic) == kind


def test_the_settings_come_before_the_name() -> None:
    roles = TopicRoles(dead_letters=("connect-*", "!orders-dlt"), retries=("later", "!tax-retry"))

    assert kind_of("connect-errors", roles) == TopicKind(DEAD)
    assert kind_of("orders-dlt", roles) == ORDINARY
    assert kind_of("later", roles) == TopicKind(RETRY)
    assert kind_of("tax-retry", roles) == ORDINARY
    assert kind_of("stock.dlq", roles) == TopicKind(DEAD, "stock")
