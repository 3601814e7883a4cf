"""The Topics pages through Django's client and over their socket."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.integration.log import record, write
from tests.integration.pages import page
from tracing.models import Gap, Ingestor, Partition, TopicFacts, UndecodableReason
from tracing.projections.rebuild import rebuild
from tracing.web.topics import present

HOSTILE = '"><script>alert(1)</script>'


def ingestor(*held: int, state: str = "running", age_s: int = 0, name: str = "host-1") -> None:
    """Let an ingestor report that it holds partitions, each with 2.5 records a second."""
    Ingestor.objects.update_or_create(
        name=name,
        defaults={
            "state": state,
            "held": [[number, 2.5] for number in held],
            "seen_at": timezone.now() - dt.timedelta(seconds=age_s),
        },
    )


def partition(topic: str = "orders", **columns: int) -> Partition:
    """Return the partition of a topic, with some columns changed."""
    row = Partition.objects.get(source__topic=topic)
    for name, value in columns.items():
        setattr(row, name, value)
    row.save()
    return row


def test_an_empty_page_shows_how_to_produce(demo: Client) -> None:
    assert "Waiting for a first event" in page(demo, "/topics/")


def test_it_shows_position_end_lag_rate_and_since_when(demo: Client) -> None:
    # In the middle of its minute: tests may have run for long since the module was read.
    at_ms = time.time_ns() // 1_000_000 - 90_000
    write(*(record(str(n), at_ms=at_ms) for n in range(3)))
    row = partition(end_offset=1_207, begin_offset=0)
    ingestor(row.id)
    week_ms = 7 * 86_400_000
    TopicFacts.objects.create(
        source=row.source, retention_ms=week_ms, cleanup="delete", looked_at=timezone.now()
    )

    listed, detail = page(demo, "/topics/"), page(demo, "/topics/orders")

    for text in (listed, detail):
        assert "orders[0] is 1,204 behind" in text
        assert "1,204" in text
        assert "2.5" in text
        assert "7 d" in text
        assert "1 min ago" in text
    assert "1,207" in detail
    assert "host-1" in detail
    assert 'orders</a><span class="dim">[0]' in listed


def test_a_gap_is_said_and_listed(demo: Client) -> None:
    write(record("1"))
    row = partition()
    ingestor(row.id)
    Gap.objects.create(partition=row, start=5, end=40, noticed_at=timezone.now())

    assert "retention removed 35 records of orders[0] before we read them" in page(demo, "/topics/")
    assert "5 \N{EN DASH} 39" in page(demo, "/topics/orders")


def test_retention_ahead_of_us_is_the_first_warning(demo: Client) -> None:
    write(record("1"))
    ingestor(partition(begin_offset=21, end_offset=5_000).id)

    text = page(demo, "/topics/")

    assert "retention is ahead of us in orders[0]: 20 records are gone already" in text


def test_each_undecodable_reason_is_counted_and_opens_its_records(demo: Client) -> None:
    write(record("1"), *(record("", value=b'{"a": %d' % n) for n in range(7)))
    write(record("", value=b"\xff\xfe{", topic="other"), record("2"))
    ingestor(*Partition.objects.values_list("id", flat=True))

    text = page(demo, "/topics/orders")

    assert UndecodableReason.objects.get(partition_id=partition().id).records == 7
    assert "7 records of orders could not be decoded" in text
    assert "/flows/orders%5B0%5D%407?event=" in text
    assert "and 2 more" in text
    assert page(demo, "/flows/orders%5B0%5D%407?event=orders%5B0%5D%407")


def test_a_rebuild_counts_them_again(demo: Client) -> None:
    write(record("", value=b"{"), record("", value=b"{"))

    rebuild()

    assert UndecodableReason.objects.get().records == 2


@pytest.mark.parametrize(
    ("state", "age_s", "words"),
    [
        ("running", 0, "reading"),
        ("waiting", 0, "the broker does not answer for orders"),
        ("running", 60, "nobody reads orders"),
        ("stopped", 0, "nobody reads orders"),
    ],
)
def test_the_state_is_that_of_the_ingestor(
    demo: Client, state: str, age_s: int, words: str
) -> None:
    write(record("1"))
    ingestor(partition().id, state=state, age_s=age_s)

    assert words in page(demo, "/topics/")


def test_a_topic_made_anew_shows_itself_alone(demo: Client) -> None:
    write(record("1"))
    old = partition()
    old.source.pk, old.source.topic_uuid = None, "another"
    old.source.save()
    Partition.objects.create(source=old.source, number=0, next_offset=0)

    text = page(demo, "/topics/orders")

    assert "was deleted and made anew once" in text
    assert "nothing held" in text


def test_names_of_strangers_stay_text(demo: Client) -> None:
    write(record("1", topic=HOSTILE))
    ingestor(partition(HOSTILE).id)

    assert "<script>alert" not in page(demo, "/topics/")
    assert "<script>alert" not in present.detail_fragment(HOSTILE)


def test_an_unknown_topic_is_not_found(demo: Client) -> None:
    assert demo.get("/topics/nothing").status_code == 404
    assert present.detail_fragment("nothing") == ""


def test_the_page_asks_as_often_for_many_topics_as_for_one(
    demo: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    write(*(record(str(n), topic=f"topic-{n}") for n in range(40)))
    ingestor(*Partition.objects.values_list("id", flat=True))

    with django_assert_max_num_queries(9):
        present.overview()
