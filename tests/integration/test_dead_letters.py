"""The read models of what failed: groups, copies that wait, records sent again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.utils import timezone

from tests.integration.log import NOW_MS, failed, record, write
from tracing.domain.derive import State
from tracing.domain.marks import Mark
from tracing.domain.topology import TopicRole, kind_of
from tracing.jobs.groups import store_facts
from tracing.kafka.groups import TopicSettings
from tracing.models import (
    DeadLetter,
    DeadLetterGroup,
    DeadLetterHour,
    Event,
    Flow,
    GroupDecision,
    RetriedRecord,
    RetryCopy,
    RetryItem,
    RetryRun,
    Source,
    TopicFacts,
)
from tracing.projections.dead_letter_reading import read_group, totals
from tracing.projections.prune import Pruner
from tracing.projections.rebuild import rebuild
from tracing.projections.settings import current_rules
from tracing.retry.letters import discard, tally

pytestmark = pytest.mark.django_db
OLD_MS = NOW_MS - 40 * 24 * 3_600_000


def test_dead_letters_that_differ_in_numbers_alone_make_one_group() -> None:
    write(failed("e1", number=1, at_ms=NOW_MS), failed("e2", number=2, at_ms=NOW_MS + 5))

    group = DeadLetterGroup.objects.get()
    assert (group.source_topic, group.consumer, group.exception) == (
        "orders",
        "inventory",
        "KeyError",
    )
    assert group.message == "no product \u2039id\u203a"
    assert (group.count, group.failed_again) == (2, 0)
    assert (group.first_ms, group.last_ms) == (NOW_MS, NOW_MS + 5)
    assert sum(row.n for row in DeadLetterHour.objects.all()) == 2
    assert DeadLetter.objects.get(event_id="e2").message == "no product P-2"


def test_a_dead_letter_that_a_retry_brought_back_is_never_counted_as_new() -> None:
    write(failed("e1"))
    write(failed("e1", ("eventviz-retry-id", b"r-1"), at_ms=NOW_MS + 9))

    group = DeadLetterGroup.objects.get()
    assert (group.count, group.failed_again) == (1, 1)
    assert DeadLetter.objects.get(retry_id="r-1").group_id == group.id
    assert RetriedRecord.objects.count() == 1


def test_copies_are_attempts_at_the_event_and_no_duplicates() -> None:
    write(failed("e1", topic="orders.retry.1", at_ms=NOW_MS - 5))
    write(failed("e1"), record("e1", flow="flow-e1", at_ms=NOW_MS + 5))

    flow = Flow.objects.get()
    root = Event.objects.get(record=flow.root)
    assert (flow.events, flow.records) == (1, 3)
    assert not flow.marks & Mark.DUPLICATE
    # The event is the one on the ordinary topic, though it came last.
    assert root.reason is None
    assert RetryCopy.objects.get().attempt == 3


def test_a_flow_with_a_dead_letter_failed_until_it_is_sent_again() -> None:
    write(record("e1", flow="flow-e1", at_ms=NOW_MS - 9), failed("e1"))

    flow = Flow.objects.get()
    assert flow.state == State.FAILED
    assert flow.failure is not None
    assert Event.objects.get(record=flow.failure).reason == "KeyError: no product P-1"

    sent = (("eventviz-retry-id", b"r-1"),)
    write(record("e1", flow="flow-e1", headers=sent, at_ms=NOW_MS + 9))
    flow = Flow.objects.get()
    assert flow.state == State.OPEN
    assert not flow.marks


def test_a_dead_letter_nobody_can_read_joins_the_record_that_failed() -> None:
    write(record("", value=b"{broken", at_ms=NOW_MS - 9))
    headers = failed("e1").headers
    write(record("", value=b"{broken", topic="orders.dlq", headers=headers))

    assert Flow.objects.get().correlation_id == "orders[0]@0"
    assert DeadLetterGroup.objects.get().event_type == "undecodable"


def test_a_rebuild_makes_the_same_and_leaves_decisions_alone() -> None:
    write(failed("e1"), failed("e2", topic="orders.retry.1"))
    group = DeadLetterGroup.objects.values().get()
    decide(group["id"], "acknowledged")

    rebuild()

    assert DeadLetterGroup.objects.values().get() == group
    assert RetryCopy.objects.count() == 1
    assert GroupDecision.objects.get().state == "acknowledged"


def decide(group_id: int, state: str, *, last_ms: int = OLD_MS) -> None:
    GroupDecision.objects.update_or_create(
        group_id=group_id,
        defaults={
            "fingerprint": DeadLetterGroup.objects.get(id=group_id).fingerprint,
            "state": state,
            "decided_by": "ann",
            "decided_at": timezone.now(),
            "last_ms_then": last_ms,
        },
    )


def prune() -> None:
    pruner = Pruner(NOW_MS - 1, now_ms=NOW_MS + 3_600_000)
    while pruner.step().more:
        pass


def test_pruning_leaves_open_dead_letters_and_takes_closed_ones() -> None:
    write(failed("e1", at_ms=OLD_MS), record("e9", flow="newest"))
    group = DeadLetterGroup.objects.get()

    prune()
    assert DeadLetter.objects.count() == 1

    decide(group.id, "resolved", last_ms=OLD_MS - 1)
    prune()
    assert DeadLetter.objects.count() == 1

    decide(group.id, "resolved")
    prune()
    for model in (DeadLetter, DeadLetterGroup, DeadLetterHour):
        assert not model.objects.exists()
    assert GroupDecision.objects.get().state == "resolved"


def retried(letter: DeadLetter, state: str) -> None:
    now = timezone.now()
    run = RetryRun.objects.create(
        kind="retry",
        asked_by="ann",
        asked_at=now,
        reason="it is back",
        rate_per_s=10,
        selection={"kind": "records", "records": [letter.record]},
        until_position=letter.position,
        token=f"t-{letter.record}",
    )
    RetryItem.objects.create(
        run=run,
        n=0,
        record=letter.record,
        group_id=letter.group_id,
        retry_id=f"r-{letter.record}",
        topic="orders",
        state=state,
    )


def test_pruning_takes_what_recovered_or_was_put_aside() -> None:
    write(*(failed(one, at_ms=OLD_MS) for one in ("e1", "e2", "e3")), record("e9", flow="newest"))
    first, second, third = DeadLetter.objects.order_by("event_id")
    retried(first, "processed")
    retried(second, "unconfirmed")
    discard([third.record], by="ann", reason="a test")
    group = first.group_id
    tally([group])

    prune()

    assert DeadLetter.objects.get().record == second.record
    assert RetryItem.objects.count() == 2
    # What went with its flow hides nothing that is open.
    for _ in range(2):
        line = read_group(group, now_ms=NOW_MS)
        assert line is not None
        assert (line.count, line.open, line.recovered, line.discarded) == (1, 1, 1, 1)
        tally([group])
    assert totals().messages == 1


def test_pruning_keeps_what_failed_again() -> None:
    again = ("eventviz-retry-id", b"r-1")
    write(failed("e1", at_ms=OLD_MS), record("e9", flow="newest"))
    retried(DeadLetter.objects.get(), "failed_again")
    write(failed("e1", again, at_ms=OLD_MS + 9))

    prune()

    assert DeadLetter.objects.count() == 2


def test_a_topics_configuration_makes_it_a_dead_letter_topic() -> None:
    write(record("e1", topic="parked", at_ms=NOW_MS))
    assert not DeadLetter.objects.exists()
    said = TopicSettings(retention_ms=-1, retention_bytes=-1, cleanup="", dead_letters=True)
    source = Source.objects.get()

    store_facts({"parked": said}, {"parked": source.topic_uuid}, {}, timezone.now())
    rebuild()
    write(record("e2", flow="o-2", topic="parked", at_ms=NOW_MS + 1))

    assert DeadLetter.objects.count() == 2

    # Made anew without it.
    anew = Source.objects.create(topic="parked", topic_uuid="anew")
    plain = msgspec.structs.replace(said, dead_letters=False)
    store_facts({"parked": plain}, {"parked": anew.topic_uuid}, {}, timezone.now())
    rebuild()
    assert not DeadLetter.objects.exists()


def test_our_settings_come_before_a_topics_configuration(settings: Any) -> None:
    settings.EVENTVIZ_DEAD_LETTER_TOPICS = ["!parked"]
    source = Source.objects.create(topic="parked", topic_uuid="u")
    TopicFacts.objects.create(source=source, dead_letters=True, looked_at=timezone.now())

    assert kind_of("parked", current_rules().topics).role is TopicRole.ORDINARY
