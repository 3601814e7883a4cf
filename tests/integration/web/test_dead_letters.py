"""The inbox of dead letters, its groups, and their JSON."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from tests.integration.log import NOW_MS, failed, record, write
from tests.integration.web.dead_letters import key, retry_of, text
from tracing.domain.failure import group_key
from tracing.models import AuditEntry, DeadLetter, DeadLetterGroup, Discard, GroupDecision
from tracing.retry.selection import Selection, page

pytestmark = pytest.mark.django_db


def test_the_inbox_says_how_dead_letters_come_here(reader: Client) -> None:
    page = reader.get("/dead-letters/").content.decode()

    assert "No dead letters" in page
    assert "EVENTVIZ_DEAD_LETTER_TOPICS" in page


def test_the_inbox_shows_groups_and_counts_what_is_open(operator: Client) -> None:
    write(failed("e1"), failed("e2", number=2))

    page = operator.get("/dead-letters/").content.decode()

    said = text(page)
    assert "KeyError" in said
    assert "orders \u2192 inventory" in said
    assert "2 open 1 group" in said
    assert f'href="/dead-letters/{key()}"' in page
    assert f'href="/retries/new?group={key()}"' in page
    assert 'aria-current="page"' in page
    assert re.search(r'id="shell-dead"[^>]*>2<', page)


def test_under_a_filter_the_inbox_counts_what_it_shows(operator: Client) -> None:
    write(failed("e1"), failed("e2", number=2))
    GroupDecision.objects.create(
        group_id=DeadLetterGroup.objects.get().id,
        fingerprint=DeadLetterGroup.objects.get().fingerprint,
        state="resolved",
        decided_at=timezone.now(),
        last_ms_then=2**50,
    )
    write(record("e3", topic="stock.dlq"))

    closed = operator.get("/dead-letters/?state=resolved").content.decode()
    still = operator.get("/dead-letters/?state=new").content.decode()

    assert "0 open in the 1 group shown · 1 open in all" in text(closed)
    assert "all that match" not in closed
    assert "1 open in the 1 group shown" in text(still)
    assert "open in all" not in text(still)
    assert "all that match" in still


def test_a_group_that_failed_again_is_not_called_new(operator: Client) -> None:
    write(failed("e1"))
    DeadLetterGroup.objects.update(failed_again=1)

    inbox = operator.get("/dead-letters/").content.decode()
    group = operator.get(f"/dead-letters/{key()}").content.decode()

    for shown in (inbox, group):
        assert re.search(r'class="chip fail"[^>]*><span aria-hidden="true">↻</span>', shown)
        assert '<span aria-hidden="true">✕</span> <span class="cut">new' not in shown
    assert "1 of 1 message" in text(group)


def test_a_viewer_may_not_retry_nor_decide(reader: Client) -> None:
    write(failed("e1"))

    inbox = reader.get("/dead-letters/").content.decode()
    group = reader.get(f"/dead-letters/{key()}").content.decode()
    refused = reader.post(f"/dead-letters/{key()}/decide", {"state": "resolved"})

    assert "may-retry" not in inbox + group
    assert "Retry the group" not in group
    assert "<select" not in group
    assert refused.status_code == 403
    assert not GroupDecision.objects.exists()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=new", True),
        ("state=open", True),
        ("state=resolved", False),
        ("topic=orders", True),
        ("topic=stock", False),
        ("q=KEYerr", True),
        ("q=nothing", False),
        ("consumer=inventory&type=OrderPlaced", True),
    ],
)
def test_the_address_filters(reader: Client, query: str, found: bool) -> None:
    write(failed("e1"))

    page = reader.get(f"/dead-letters/?{query}").content.decode()

    assert (f"group-{key()}" in page) is found
    assert ("No group matches" in page) is not found


def test_a_decision_is_kept_with_its_audit_and_a_later_dead_letter_regresses(
    operator: Client,
) -> None:
    write(failed("e1"))
    given = {"state": "resolved", "owner": "ann", "note": "gateway is back"}

    answer = operator.post(f"/dead-letters/{key()}/decide", given)

    assert answer.status_code == 303
    assert GroupDecision.objects.get().owner == "ann"
    assert AuditEntry.objects.get().what == "resolved"
    page = text(operator.get("/dead-letters/").content.decode())
    assert "resolved \u00b7 ann" in page
    assert "nothing open" in page

    write(failed("e2", at_ms=NOW_MS + 5))
    page = text(operator.get("/dead-letters/").content.decode())
    assert "regressed \u00b7 ann" in page
    assert "2 open" in page


def test_an_unknown_state_or_group_is_refused(operator: Client) -> None:
    write(failed("e1"))

    assert operator.post(f"/dead-letters/{key()}/decide", {"state": "x"}).status_code == 400
    assert operator.post(f"/dead-letters/{'0' * 16}/decide", {"state": "new"}).status_code == 404
    for path in ("nothing", "0" * 16, f"{key()}/77", f"{key()}/{'9' * 30}"):
        answer = operator.get(f"/dead-letters/{path}")
        assert answer.status_code == 404
        assert 'href="/dead-letters/"' in answer.content.decode()


def test_several_groups_are_one_plan_and_one_run(operator: Client) -> None:
    other = ("eventviz-failure-exception", b"TimeoutError")
    write(record("e1", flow="flow-e1", at_ms=NOW_MS - 50), failed("e1"), failed("e2"))
    write(failed("e3", other))
    groups = DeadLetterGroup.objects.order_by("id")
    keys = [group_key(group.id) for group in groups]

    inbox = operator.get("/dead-letters/").content.decode()
    plan = operator.get("/retries/new", {"group": keys}).content.decode()
    refused = operator.get("/retries/new", {"group": [keys[0], "no"]})

    assert all(f'name="group" value="{one}"' in inbox for one in keys)
    assert "2 groups" in text(plan)
    assert all(f'<input type="hidden" name="group" value="{one}">' in plan for one in keys)
    assert refused.status_code == 400
    asked = Selection(kind="group", text=",".join(keys))
    found, following = page(asked, None, until=2**40, limit=10)
    assert (len(found), following) == (3, None)


def test_the_api_lists_groups_and_messages_by_cursor(reader: Client) -> None:
    write(*[failed(f"e{number}", number=number, at_ms=NOW_MS + number) for number in range(5)])

    groups = reader.get("/api/dead-letters").json()["groups"]
    assert [(one["id"], one["count"], one["state"]) for one in groups] == [(key(), 5, "new")]
    assert groups[0]["exception"] == "KeyError"

    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = reader.get(f"/api/dead-letters/{key()}?limit=2&cursor={cursor}").json()
        seen += [one["event_id"] for one in page["messages"]]
        cursor = page["next"]
    assert seen == ["e4", "e3", "e2", "e1", "e0"]
    assert reader.get("/api/dead-letters/none").status_code == 404
    assert reader.get("/api/dead-letters?state=x").status_code == 400
    assert reader.get(f"/api/dead-letters/{key()}?cursor=x").status_code == 400


def test_groups_are_listed_by_cursor(reader: Client) -> None:
    for number, name in enumerate(("A", "B", "C")):
        more = ("eventviz-failure-exception", name.encode())
        write(failed(f"e{number}", more, at_ms=NOW_MS + number % 2))

    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = reader.get(f"/api/dead-letters?limit=1&cursor={cursor}").json()
        seen += [one["exception"] for one in page["groups"]]
        cursor = page["next"]

    assert seen[0] == "B"
    assert sorted(seen) == ["A", "B", "C"]


def test_a_whole_group_is_put_aside_by_number_and_restored(operator: Client) -> None:
    write(failed("e1"), failed("e2", number=2), failed("e3", number=3))
    letters = list(DeadLetter.objects.order_by("event_id"))
    retry_of(letters[2], state="processed")
    where = f"/dead-letters/{key()}"
    asked = operator.get(f"{where}/aside").content.decode()
    until = re.search(r'name="until" value="(\d+)"', asked)
    assert until
    # It came while somebody read: it is not meant.
    write(failed("e4", number=4))

    without = operator.post(f"{where}/aside", {"until": until[1], "reason": " "})
    done = operator.post(f"{where}/aside", {"until": until[1], "reason": "test orders"})
    after = text(operator.get(where).content.decode())

    assert "Put 2 messages aside" in text(asked)
    assert without.status_code == 422
    assert (done.status_code, done["Location"]) == (303, where)
    aside = set(Discard.objects.values_list("record", flat=True))
    assert aside == {letters[0].record, letters[1].record}
    assert "Open 1 of 4" in after
    assert "Restore 2 put aside" in after
    operator.post(f"{where}/restore")
    assert "Open 3 of 4" in text(operator.get(where).content.decode())
    entries = AuditEntry.objects.order_by("id").values_list("what", "why", "outcome")
    assert list(entries) == [
        ("discard", "test orders", {"messages": 2}),
        ("restore", "", {"messages": 2}),
    ]


def test_a_viewer_puts_no_group_aside(reader: Client) -> None:
    write(failed("e1"))
    where = f"/dead-letters/{key()}"

    assert reader.get(f"{where}/aside").status_code == 403
    assert reader.post(f"{where}/aside", {"reason": "x"}).status_code == 403
    assert reader.post(f"{where}/restore").status_code == 403
    assert "Put the group aside" not in reader.get(where).content.decode()
    assert not Discard.objects.exists()
