"""The mapping pages through Django's client: look, try, apply, rebuild, end."""

from __future__ import annotations

import datetime as dt
import html
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.integration.log import record, write
from tests.integration.pages import page
from tests.integration.people import browser_of
from tracing.codec.rules import Mapping
from tracing.jobs.rebuilding import Rebuild
from tracing.models import Flow, MappingDecision, RebuildRun
from tracing.projections import decisions
from tracing.projections.rebuild import BROKE_OFF
from tracing.projections.settings import current_rules

pytestmark = pytest.mark.usefixtures("decided_here")
HOSTILE = '"><script>alert(1)</script>'
FIELDS = {
    "event_id": "$.meta.id",
    "correlation_id": "$.meta.order",
    "causation_id": "$.meta.parent",
    "event_type": "$.meta.kind",
}
APPLY = {"topic": "homemade", "pattern": "homemade", **FIELDS}


@pytest.fixture
def decided_here(db: None) -> Iterator[None]:
    """Take no decision of one test into another."""
    decisions.forget_mappings()
    yield
    decisions.forget_mappings()


def homemade(count: int = 9, topic: str = "homemade") -> None:
    """Store records of an envelope that nobody knows: flows of three."""
    bodies: list[dict[str, Any]] = []
    for number in range(count):
        first = number - number % 3
        meta = {
            "id": f"m-{number:03}",
            "order": f"A-{first}",
            "parent": None if number == first else f"m-{number - 1:03}",
            "kind": ["placed", "taken", "paid"][number % 3],
        }
        bodies.append({"meta": meta, "data": {"total": number}})
    write(*(record("", value=json.dumps(one).encode(), topic=topic) for one in bodies))


def tried(**fields: str) -> dict[str, str]:
    """Return the query of a form with these fields."""
    return {"topic": "homemade", "try": "1", **fields}


# Looking and trying


def test_without_records_it_says_how_to_produce(demo: Client) -> None:
    assert "Waiting for a first event" in page(demo, "/mapping/")
    assert demo.get("/mapping/?topic=nothing").status_code == 404


def test_it_shows_the_share_of_each_topic(demo: Client) -> None:
    write(*(record(str(n), flow="o-1", cause="0") for n in range(4)))
    homemade(3)

    text = page(demo, "/mapping/")

    assert text.count("4 of 4") == 4
    assert text.count("0 of 3") == 4
    assert 'href="/mapping/?topic=homemade"' in text


def test_it_suggests_what_probably_carries_each_field(demo: Client) -> None:
    homemade()

    text = page(demo, "/mapping/?topic=homemade")

    for path in FIELDS.values():
        assert f'value="{path}"' in text
    assert "different in each of 9 records" in text
    assert "0 of 9" in text
    assert "9 of 9" in text
    assert "6 of 9" in text


def test_a_topic_that_is_read_well_is_left_alone(demo: Client) -> None:
    write(*(record(str(n), flow="o-1", cause="0") for n in range(4)))

    text = page(demo, "/mapping/?topic=orders")

    assert "As it is read now" in text
    assert "With this mapping" not in text


def test_trying_shows_the_records_and_stores_nothing(demo: Client) -> None:
    homemade()

    response = demo.get("/mapping/", tried(event_id="$.meta.id"), headers={"HX-Request": "true"})

    text = response.content.decode()
    assert "<html" not in text
    assert "m-008" in text
    assert "With this mapping" in text
    assert not MappingDecision.objects.exists()
    assert current_rules().mappings == ()


def test_a_candidate_fills_its_field_in_and_keeps_the_others(demo: Client) -> None:
    homemade()
    query = tried(event_id="$.meta.id", use="correlation_id=$.meta.order")

    text = demo.get("/mapping/", query).content.decode()

    assert 'name="event_id" value="$.meta.id"' in text
    assert 'name="correlation_id" value="$.meta.order"' in text


@pytest.mark.parametrize(
    ("fields", "label", "words"),
    [
        ({"event_id": "meta.id"}, "Event id", "write a path such as"),
        ({"event_id": "$.a", "causation_id": "header:"}, "Causation id", "name is missing"),
        ({"event_id": "$.a", "pattern": "other*"}, "Topics", "does not match homemade"),
        ({"payload": "$.data"}, "Event id", "fill in at least one of"),
        ({"event_id": "$." + "a" * 400}, "Event id", "longer than 400"),
    ],
)
def test_an_error_names_its_field(
    demo: Client, fields: dict[str, str], label: str, words: str
) -> None:
    homemade(1)

    text = html.unescape(demo.get("/mapping/", tried(**fields)).content.decode())

    assert f"<b>{label}</b>: " in text
    assert words in text
    assert "Apply the mapping" not in text


def test_what_strangers_wrote_stays_text(demo: Client) -> None:
    body = {HOSTILE: HOSTILE, "id": HOSTILE, "parentId": HOSTILE}
    write(*(record("", value=json.dumps(body).encode(), topic=HOSTILE) for _ in range(3)))

    for address in ("/mapping/", "/mapping/?topic=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"):
        assert "<script>alert" not in page(demo, address)


# Applying


def test_a_viewer_sees_no_button_and_a_forged_post_is_refused(viewer: User) -> None:
    homemade()
    browser = browser_of(viewer)

    text = page(browser, "/mapping/?topic=homemade")

    assert "Apply the mapping" not in text
    assert "An operator can apply" in text
    for address in ("/mapping/apply", "/mapping/end", "/mapping/rebuild"):
        assert browser.post(address, APPLY).status_code == 403
    assert not MappingDecision.objects.exists()
    assert not RebuildRun.objects.exists()


def test_a_post_from_elsewhere_is_refused(operator: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies

    assert strict.post("/mapping/apply", APPLY).status_code == 403
    assert not MappingDecision.objects.exists()


def test_apply_and_rebuild_change_the_flows(operator: Client) -> None:
    homemade()
    assert Flow.objects.count() == 9

    response = operator.post("/mapping/apply", {**APPLY, "rebuild": "1"})

    assert response.status_code == 302
    text = page(operator, response["Location"].split("#")[0])
    assert "A rebuild waits" in text
    assert "grace" in text
    RebuildRun.objects.update(asked_at=timezone.now() - dt.timedelta(minutes=1))
    step = Rebuild()
    assert step.wanted()
    assert step.run()
    assert not step.wanted()
    assert set(Flow.objects.values_list("correlation_id", flat=True)) == {"A-0", "A-3", "A-6"}
    assert "Rebuilt from 9 records" in page(operator, "/mapping/?topic=homemade")


def test_new_records_are_read_by_it_at_once(operator: Client) -> None:
    operator.post("/mapping/apply", APPLY)

    homemade(3)

    assert Flow.objects.get().correlation_id == "A-0"
    assert not RebuildRun.objects.exists()


def test_a_rebuild_waits_until_every_ingestor_has_taken_the_mapping_up(operator: Client) -> None:
    operator.post("/mapping/rebuild")

    assert RebuildRun.objects.get().asked_by == "grace"
    assert not Rebuild().wanted()


def test_a_rebuild_that_failed_says_why(operator: Client) -> None:
    run = decisions.ask_for_rebuild("grace")
    RebuildRun.objects.filter(id=run.id).update(finished_at=timezone.now(), error=BROKE_OFF)

    assert BROKE_OFF in page(operator, "/mapping/")


def test_asking_twice_is_one_rebuild(operator: Client) -> None:
    operator.post("/mapping/rebuild")
    operator.post("/mapping/rebuild")

    assert RebuildRun.objects.count() == 1


def test_ending_takes_it_back_and_says_who(operator: Client) -> None:
    operator.post("/mapping/apply", APPLY)
    row = MappingDecision.objects.get()

    operator.post("/mapping/end", {"decision": str(row.id), "topic": "homemade"})

    row.refresh_from_db()
    assert row.ended_by == "grace"
    assert current_rules().mappings == ()
    assert "ended by grace" in page(operator, "/mapping/")


def test_a_second_mapping_takes_the_place_of_the_first(operator: Client) -> None:
    operator.post("/mapping/apply", APPLY)
    operator.post("/mapping/apply", {**APPLY, "event_id": "$.id"})

    assert MappingDecision.objects.filter(ended_at=None).count() == 1
    assert [mapping.event_id for mapping in current_rules().mappings] == ["$.id"]


def test_names_come_before_patterns_and_decisions_before_settings(
    operator: Client, settings: Any
) -> None:
    settings.EVENTVIZ_MAPPINGS = '[{"topic": "homemade", "event_id": "$.s"}]'
    for pattern, path in (("home*", "$.a"), ("homemade*", "$.b"), ("homemade", "$.c")):
        decisions.apply(Mapping(topic=pattern, event_id=path), by="grace")

    assert [one.event_id for one in current_rules().mappings] == ["$.c", "$.b", "$.a", "$.s"]


def test_a_decision_that_makes_no_sense_is_left_out(
    operator: Client, caplog: pytest.LogCaptureFixture
) -> None:
    MappingDecision.objects.create(
        topic="x", fields={"event_id": "no path"}, made_by="ada", made_at=timezone.now()
    )

    assert current_rules().mappings == ()
    assert "left out" in caplog.text


@pytest.mark.parametrize("sent", [{"pattern": "homemade"}, {**APPLY, "event_id": "x"}])
def test_nothing_half_right_is_applied(operator: Client, sent: dict[str, str]) -> None:
    response = operator.post("/mapping/apply", {"topic": "homemade", **sent})

    assert response.status_code == 400
    assert not MappingDecision.objects.exists()


def test_the_state_of_a_rebuild_is_asked_for_while_it_lasts(operator: Client) -> None:
    run = decisions.ask_for_rebuild("grace")
    state = page(operator, "/mapping/rebuild", **{"HX-Request": "true"})
    assert "hx-get" in state

    RebuildRun.objects.filter(id=run.id).update(started_at=timezone.now(), done=5_000, total=8_000)
    state = page(operator, "/mapping/rebuild", **{"HX-Request": "true"})
    assert "5,000 of 8,000 records" in state
    assert 'value="62"' in state

    RebuildRun.objects.filter(id=run.id).update(finished_at=timezone.now())
    state = page(operator, "/mapping/rebuild", **{"HX-Request": "true"})
    assert "hx-get" not in state
