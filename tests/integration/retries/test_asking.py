"""Who asks for a replay: once, with a reason, of what may be sent; the audit keeps it."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from tests.integration.log import record, write
from tests.integration.retries.replays import arrived, asked, chosen, ids_of, sent_all
from tracing.jobs.retry import SendRetries
from tracing.models import AuditEntry, RetryItem
from tracing.models.retry import AuditIsFinalError
from tracing.retry import runs
from tracing.retry.selection import BadSelectionError

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


# Asking


def test_asked_twice_with_one_token_there_is_one_run(topic: str) -> None:
    write(record("e-1", topic=topic))

    first, second = (asked(chosen(*ids_of(topic)), token="t") for _ in range(2))

    assert first == second
    assert AuditEntry.objects.count() == 1


def test_two_people_who_retry_the_same_record_send_it_once(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic))
    one, other = asked(chosen(*ids_of(topic))), asked(chosen(*ids_of(topic)), by="ada")

    sent_all(step, one)
    sent_all(step, other)

    other.refresh_from_db()
    assert len(arrived(broker, topic, 1)) == 1
    assert (other.state, other.planned, other.skipped) == ("done", 1, 1)
    assert "another run" in RetryItem.objects.get(run=other).error


@pytest.mark.parametrize(
    "fields", [{"reason": " "}, {"rate_per_s": 0}, {"rate_per_s": float("nan")}, {"token": ""}]
)
def test_what_makes_no_sense_is_refused(db: None, fields: dict[str, Any]) -> None:
    with pytest.raises(runs.BadRunError):
        asked(chosen(1), **fields)
    with pytest.raises(BadSelectionError):
        asked(chosen())


def test_what_cannot_be_had_or_may_not_be_sent_is_left_out(
    topic: str, step: SendRetries, broker: str
) -> None:
    write(record("e-1", topic=f"{topic}.dlq"), record("e-2", topic=topic))
    dead, fine = ids_of(f"{topic}.dlq")[0], ids_of(topic)[0]

    run = sent_all(step, asked(chosen(dead, fine, 7)))

    errors = list(RetryItem.objects.filter(run=run).order_by("n").values_list("error", flat=True))
    assert "may be sent to" in errors[0]
    assert errors[1] == ""
    assert "not stored" in errors[2]
    assert (run.planned, run.sent, run.skipped) == (3, 1, 2)


def test_a_record_is_not_sent_again_for_ever(
    broker: str, topic: str, step: SendRetries, settings: Settings
) -> None:
    settings.EVENTVIZ_RETRY_LIMIT = 2
    write(record("e-1", topic=topic))
    for _ in range(3):
        run = sent_all(step, asked(chosen(*ids_of(topic))))
        RetryItem.objects.filter(state="sent").update(state="processed")

    assert "EVENTVIZ_RETRY_LIMIT" in RetryItem.objects.get(run=run).error
    assert len(arrived(broker, topic, 2)) == 2


# The audit


def test_an_audit_entry_is_final(topic: str) -> None:
    write(record("e-1", topic=topic))
    asked(chosen(*ids_of(topic)))
    entry = AuditEntry.objects.get()

    with pytest.raises(AuditIsFinalError):
        entry.save()
    with pytest.raises(AuditIsFinalError):
        entry.delete()
