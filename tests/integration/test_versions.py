"""Which versions are on the wire: counted by type, service and schema, and told by age."""

from __future__ import annotations

import json

import pytest

from tests.integration.log import record, write
from tests.integration.test_prune import at, prune
from tracing.domain.record import Record
from tracing.models import SeenInterval, SeenVersion
from tracing.projections.rebuild import rebuild
from tracing.projections.version_reading import Seen, oldest_produced, seen, types_seen

pytestmark = pytest.mark.django_db

MINUTE_MS = 60_000


def placed(number: int, version: str | int | None, *, at_ms: int, service: str = "web") -> Record:
    body = {
        "eventId": f"e-{number}",
        "eventType": "OrderPlaced",
        "schemaVersion": version,
        "correlationId": f"f-{number}",
        "payload": {"orderId": f"ORD-{number}"},
    }
    return record("-", value=json.dumps(body).encode(), service=service, at_ms=at_ms)


def told() -> list[tuple[str, str, int]]:
    return [(row.service, row.version, row.records) for row in seen(["OrderPlaced"])["OrderPlaced"]]


def test_versions_are_counted_by_service_with_their_first_and_last_interval() -> None:
    write(
        placed(1, 1, at_ms=0),
        placed(2, 1, at_ms=25 * MINUTE_MS),
        placed(3, "v2", at_ms=MINUTE_MS),
        placed(4, 1, at_ms=MINUTE_MS, service="batch"),
        placed(5, None, at_ms=MINUTE_MS),
        record("-", value=b"{broken"),
    )
    write(placed(6, 1, at_ms=12 * MINUTE_MS))

    assert told() == [("web", "", 1), ("batch", "1", 1), ("web", "1", 3), ("web", "v2", 1)]
    web = seen(["OrderPlaced"])["OrderPlaced"][2]
    assert (web.first_ms, web.last_ms) == (0, 30 * MINUTE_MS)
    assert types_seen() == ["OrderPlaced", "undecodable"]
    before = told()
    rebuild()
    assert told() == before


def test_what_is_pruned_counts_no_more_and_the_first_interval_moves_on() -> None:
    write(placed(1, 1, at_ms=at(50)), placed(2, 2, at_ms=at(40)), placed(3, 1, at_ms=at(2)))

    prune(24)

    assert told() == [("web", "1", 1)]
    row = SeenVersion.objects.get()
    assert row.first_ms == row.last_ms == SeenInterval.objects.get().start_ms
    assert row.first_ms <= at(2) < row.first_ms + 10 * MINUTE_MS


def test_the_oldest_version_still_produced_is_told_with_who_writes_it() -> None:
    write(
        placed(1, 1, at_ms=0, service="old"),
        placed(2, 2, at_ms=60 * MINUTE_MS, service="batch"),
        placed(3, 2, at_ms=61 * MINUTE_MS, service="web"),
        placed(4, 3, at_ms=61 * MINUTE_MS, service="web"),
        placed(5, "next", at_ms=61 * MINUTE_MS, service="lab"),
    )
    rows = seen(["OrderPlaced"])["OrderPlaced"]

    def by(found: list[Seen]) -> list[tuple[str, str]]:
        return [(row.version, row.service) for row in found]

    assert by(oldest_produced(rows, since_ms=30 * MINUTE_MS)) == [("2", "batch"), ("2", "web")]
    assert by(oldest_produced(rows, since_ms=0)) == [("1", "old")]
    assert oldest_produced(rows, since_ms=100 * MINUTE_MS) == []
