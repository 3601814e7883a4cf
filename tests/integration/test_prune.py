"""Pruning takes whole flows, and what stays is what a rebuild makes of it."""

from __future__ import annotations

import json
import secrets
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.log import record, stored, write
from tests.integration.picture import clear, picture
from tracing.domain.record import Record
from tracing.jobs.prune import Prune
from tracing.models import Event, Flow, FlowCount, Horizon, SearchKey
from tracing.projections import reading
from tracing.projections.catalogue import Catalogue
from tracing.projections.prune import RESTS_MS, Pruner
from tracing.projections.rebuild import rebuild

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000


def at(hours_ago: float) -> int:
    return NOW_MS - int(hours_ago * HOUR_MS)


def prune(hours: float, *, limit: int = 500) -> tuple[int, int]:
    """Prune to the end; return flows and records that went."""
    pruner = Pruner(at(hours), now_ms=NOW_MS)
    flows = records = 0
    while (done := pruner.step(limit=limit)).more:
        flows += done.flows
        records += done.records
    return flows, records


def batch(*events: tuple[str, str], hours_ago: float) -> Record:
    """Return one record with several CloudEvents: (id, flow)."""
    body = [
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/orders",
            "type": "OrderPlaced",
            "correlationid": flow,
            "data": {"orderId": f"ORD-{flow}"},
        }
        for event_id, flow in events
    ]
    content = (("content-type", b"application/cloudevents-batch+json"),)
    value = json.dumps(body).encode()
    return record("-", value=value, headers=content, key=None, at_ms=at(hours_ago))


def names() -> set[str]:
    return set(Flow.objects.values_list("correlation_id", flat=True))


def test_old_flows_go_whole_and_leave_nothing_behind() -> None:
    write(
        record("1", flow="old", at_ms=at(50), payload={"orderId": "ORD-OLD"}),
        record("2", "PaymentFailed", flow="old", at_ms=at(30), key=b"K-OLD"),
        record("3", flow="moved", at_ms=at(50)),
        record("4", flow="moved", at_ms=at(1)),
        record("5", value=b"{broken", at_ms=at(40)),
        record("6", flow="new", at_ms=at(2)),
    )

    assert prune(24) == (2, 3)

    assert names() == {"moved", "new"}
    assert len(stored()) == Event.objects.count() == 3
    assert sum(FlowCount.objects.values_list("flows", flat=True)) == 2
    kept = set(Flow.objects.values_list("id", flat=True))
    assert set(SearchKey.objects.values_list("flow_id", flat=True)) <= kept
    assert reading.search("ORD-OLD") == []
    horizon = Horizon.objects.get()
    assert (horizon.before_ms, horizon.flows, horizon.records) == (at(24), 2, 3)


def test_flows_that_moved_lately_stay_whatever_is_asked_for() -> None:
    write(
        record("1", flow="running", at_ms=NOW_MS - RESTS_MS + 1),
        record("2", flow="resting", at_ms=NOW_MS - RESTS_MS - 1),
        record("3", flow="newest", at_ms=NOW_MS),
    )

    assert prune(-1) == (1, 1)

    assert names() == {"running", "newest"}


def test_flows_that_share_a_record_go_together_or_stay_together() -> None:
    write(
        batch(("1", "a"), ("2", "b"), hours_ago=50),
        batch(("3", "b"), ("4", "c"), hours_ago=49),
        record("5", flow="c", at_ms=at(1)),
        batch(("6", "x"), ("7", "y"), hours_ago=50),
        record("8", flow="new", at_ms=at(1)),
    )

    assert prune(24, limit=1) == (2, 1)

    assert names() == {"a", "b", "c", "new"}


def test_a_late_record_of_a_pruned_flow_begins_it_anew_under_a_new_number() -> None:
    write(record("1", flow="old", at_ms=at(50)))
    write(record("2", flow="last", at_ms=at(49)))
    before = set(Flow.objects.values_list("id", flat=True))

    prune(24)
    write(record("3", flow="old", at_ms=at(1)))

    assert names() == {"last", "old"}
    assert Flow.objects.get(correlation_id="old").id not in before


FLOWS = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def histories(draw: st.DrawFn) -> list[Record]:
    """Draw records of a few flows over some hours: single ones, batches, broken ones."""
    drawn: list[Record] = []
    for number in range(draw(st.integers(1, 12))):
        hours = draw(st.integers(0, 9))
        kind = draw(st.sampled_from(["one", "one", "one", "batch", "broken"]))
        if kind == "broken":
            drawn.append(record("-", value=b"{broken", at_ms=at(hours)))
        elif kind == "batch":
            events = [(f"{number}-{part}", draw(FLOWS)) for part in range(draw(st.integers(1, 3)))]
            drawn.append(batch(*events, hours_ago=hours))
        else:
            name = draw(st.sampled_from(["OrderPlaced", "PaymentFailed", "OrderCompleted"]))
            payload: dict[str, Any] = {"orderId": draw(st.sampled_from(["O-1", "O-2"]))}
            drawn.append(
                record(
                    str(draw(st.integers(0, 5))),
                    name,
                    flow=draw(FLOWS),
                    payload=payload,
                    key=draw(st.sampled_from([b"k", None])),
                    at_ms=at(hours),
                )
            )
    return drawn


@given(histories(), histories(), st.integers(0, 9), st.integers(1, 5))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_is_pruned_the_rest_equals_a_rebuild(
    first: list[Record], later: list[Record], hours: int, limit: int
) -> None:
    clear()
    write(*first)
    prune(hours, limit=limit)
    write(*later)
    prune(hours, limit=limit)
    after = picture(Catalogue())

    rebuild()

    assert picture(Catalogue()) == after


def test_the_command_tells_first_and_asks_before_it_acts() -> None:
    write(record("1", flow="old", at_ms=1), record("2", flow="new"))
    said = StringIO()

    call_command("prune", "--older-than", "7d", "--dry-run", stdout=said)
    assert "1 flow" in said.getvalue()
    assert names() == {"old", "new"}
    call_command("prune", "--older-than", "7d", "--yes", stdout=said)

    assert names() == {"new"}
    assert "Removed 1 flow with 1 record." in said.getvalue()


def test_the_command_prunes_down_to_a_size() -> None:
    write(
        *(
            # Random, so that no database makes it small.
            record(
                str(n), flow=f"f{n}", at_ms=1_000 + n, payload={"text": secrets.token_hex(20_000)}
            )
            for n in range(100)
        )
    )
    write(record("new", flow="new"))
    said = StringIO()

    call_command("prune", "--keep-bytes", "1MB", "--yes", stdout=said)

    left = names()
    assert "new" in left
    assert 1 <= len(left) < 100
    # The oldest went first.
    numbers = sorted(int(name[1:]) for name in left - {"new"})
    assert numbers == list(range(100 - len(numbers), 100))


@pytest.mark.parametrize(
    "arguments",
    [[], ["--older-than", "yesterday"], ["--older-than", "0d"], ["--keep-bytes", "many"]],
)
def test_the_command_refuses_what_it_does_not_understand(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("prune", *arguments, "--yes")


def test_the_job_keeps_what_settings_ask_for_and_nothing_is_wanted_without() -> None:
    write(record("1", flow="old", at_ms=1), record("2", flow="new"))

    assert not Prune().wanted()
    step = Prune(keep_ms=7 * 24 * HOUR_MS)
    assert step.wanted()
    assert not step.run()

    assert names() == {"new"}
