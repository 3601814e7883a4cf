"""Dead letters go back to where they came from, and their group is followed."""

from __future__ import annotations

import pytest

from tests.integration.log import record, write
from tests.integration.retries.replays import (
    arrived,
    dead,
    give_up_after_mail,
    group_run,
    ids_of,
    sent_all,
)
from tracing.jobs.retry import SendRetries
from tracing.models import AuditEntry, DeadLetterGroup, GroupDecision, RetryItem, RetryTally
from tracing.retry.following import Follower
from tracing.retry.outgoing import RETRY_ID

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


def test_a_group_goes_back_to_where_it_came_from_and_is_resolved(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic), dead(topic))
    run = sent_all(step, group_run())
    (found,) = arrived(broker, topic, 1)
    assert [name for name, _ in found.headers] == ["source", RETRY_ID]

    write(record("effect", topic=topic, cause="e-1"))
    Follower().look()

    run.refresh_from_db()
    tally = RetryTally.objects.get()
    decision = GroupDecision.objects.get()
    assert (run.state, run.processed) == ("done", 1)
    assert (tally.retried, tally.recovered, tally.failed_again) == (1, 1, 0)
    assert (decision.state, decision.decided_by) == ("resolved", "eventviz")
    assert AuditEntry.objects.filter(what="resolve", who="eventviz").count() == 1


def test_one_that_fails_again_is_joined_and_its_newest_letter_is_retried(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic), dead(topic))
    first = sent_all(step, group_run())
    item = RetryItem.objects.get()
    write(dead(topic, (RETRY_ID, item.retry_id.encode())))
    follower = Follower()
    follower.look()

    item.refresh_from_db()
    first.refresh_from_db()
    assert (item.state, item.again) == ("failed_again", ids_of(f"{topic}-dlt")[1])
    assert (first.state, first.failed_again) == ("done", 1)
    assert DeadLetterGroup.objects.get().count == 1
    second = sent_all(step, group_run())
    sent = RetryItem.objects.get(run=second, state="sent")
    assert (second.planned, second.skipped, sent.attempt) == (2, 1, 2)

    write(record("effect", topic=topic, cause="e-1"))
    Follower().look()

    tally = RetryTally.objects.get()
    assert (tally.recovered, tally.failed_again) == (1, 1)
    assert GroupDecision.objects.get().state == "resolved"


def test_what_others_answer_again_does_not_mean_that_the_failing_one_processed_it(
    broker: str, topic: str, step: SendRetries
) -> None:
    give_up_after_mail(topic)
    run = sent_all(step, group_run())
    follower = Follower()

    write(record("mail 2", topic=topic, cause="e-1", service="email"))
    follower.look()
    assert RetryItem.objects.get(run=run).state == "sent"
    write(record("stock", topic=topic, cause="e-1", service="inventory"))
    follower.look()

    assert RetryItem.objects.get(run=run).state == "processed"


def test_what_died_after_it_was_asked_for_is_not_meant(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic), dead(topic))
    run = group_run()
    write(dead(topic, event_id="e-2"))

    assert sent_all(step, run).planned == 1
