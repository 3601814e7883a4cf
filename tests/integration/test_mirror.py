"""Another registry in our tables: what is new, what is gone, and a registry that misbehaves."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.servers.answering import Answering, Page, serving
from tracing.jobs.mirror import MirrorRegistry
from tracing.models import CompatibilityLevel, RegistryHead, Subject, SubjectVersion
from tracing.schemas import mirror
from tracing.schemas.confluent import Confluent
from tracing.schemas.errors import BadAnswerError, RegistryUnavailableError
from tracing.schemas.http import MAX_ANSWER_BYTES, Login
from tracing.schemas.mirror import Mirror
from tracing.schemas.reading import list_subjects
from tracing.schemas.registry import Draft

# Its threads ask while this one writes: no transaction is held around the test.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def page(body: Any, status: int = 200) -> Page:
    return status, {}, json.dumps(body).encode()


def text(*fields: str) -> str:
    listed = [{"name": name, "type": "string"} for name in fields]
    return json.dumps({"type": "record", "name": "Order", "fields": listed})


def pages(**subjects: list[str]) -> dict[str, Page]:
    """Return what a registry with these subjects and the texts of their versions answers."""
    found = {"/subjects": page(list(subjects)), "/config": page({"compatibilityLevel": "FULL"})}
    for name, texts in subjects.items():
        found[f"/subjects/{name}/versions"] = page(list(range(1, len(texts) + 1)))
        found[f"/config/{name}"] = page({"error_code": 40408, "message": "none"}, 404)
        for version, one in enumerate(texts, 1):
            body = {"subject": name, "version": version, "id": version, "schema": one}
            found[f"/subjects/{name}/versions/{version}"] = page(body)
    return found


def all_due() -> None:
    Subject.objects.update(checked_at=timezone.now() - 2 * mirror.AGAIN)


def test_what_is_new_and_what_is_gone_is_seen() -> None:
    with serving(Answering(pages(orders=[text("orderId")], stock=[text("sku")]))) as server:
        step = MirrorRegistry(Mirror(server.login), server.login.url)
        assert not step.run()
        server.pages = pages(orders=[text("orderId"), text("orderId", "giftCard")])
        all_due()
        assert not step.run()

    rows = Subject.objects.order_by("name").values_list("name", "latest", "count")
    assert list(rows) == [("orders", 2, 2), ("stock", 0, 0)]
    assert SubjectVersion.objects.filter(deleted_at=None).count() == 2
    assert CompatibilityLevel.objects.get().level == "FULL"
    assert RegistryHead.objects.get().mirrored_at is not None
    found = list_subjects(server.login.url, text="card")
    assert [subject.name for subject in found.subjects] == ["orders"]
    assert list(found.paths.values()) == [("giftCard",)]
    # The registry is away by now: what was seen stays.
    with pytest.raises(RegistryUnavailableError):
        step.run()
    assert "does not answer" in RegistryHead.objects.get().error
    assert list_subjects(server.login.url).subjects


def test_what_has_not_changed_costs_no_statements(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with serving(Answering(pages(**{f"s{number}": [text("a")] for number in range(30)}))) as server:
        follower = Mirror(server.login)
        assert not follower.round()
        all_due()
        with django_assert_max_num_queries(25):
            assert not follower.round()

    assert not Subject.objects.filter(checked_at__lt=timezone.now() - mirror.AGAIN).exists()


def test_a_registry_that_began_anew_is_read_anew() -> None:
    with serving(Answering(pages(orders=[text("orderId")], gone=[text("x")]))) as server:
        follower = Mirror(server.login)
        follower.round()
        server.pages = pages()
        follower.round()
        server.pages = pages(orders=[text("sku"), text("sku", "size")], gone=[text("x")])
        server.pages["/subjects/orders/versions/1"] = page(
            {"subject": "orders", "version": 1, "id": 77, "schema": text("sku")}
        )
        all_due()
        follower.round()

    first = SubjectVersion.objects.get(subject__name="orders", version=1)
    assert (first.number, json.loads(first.text)["fields"][0]["name"]) == (77, "sku")
    assert SubjectVersion.objects.filter(deleted_at=None).count() == 3
    assert [one.name for one in list_subjects(server.login.url, text="sku").subjects] == ["orders"]


def test_many_new_ones_come_by_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "MANY", 2)
    answers = pages(a=[text("x")], b=[text("y"), text("y", "z")])
    listed = [json.loads(answers[f"/subjects/{name}"][2]) for name in LISTED]
    answers["/schemas?offset=0&limit=400"] = page(listed)
    with serving(Answering(answers)) as server:
        assert not Mirror(server.login).round()
        asked = [path for path, _ in server.asked]

    assert SubjectVersion.objects.count() == 3
    assert "/subjects/a/versions/1" not in asked
    assert list(Subject.objects.values_list("name", "latest")) == [("a", 1), ("b", 2)]


LISTED = ("a/versions/1", "b/versions/1", "b/versions/2")

GARBAGE: list[tuple[Page, type[Exception]]] = [
    ((200, {}, b"garbage"), BadAnswerError),
    ((200, {}, b'{"not": "a list"}'), BadAnswerError),
    ((200, {}, b"[" * 100_000), BadAnswerError),
    ((200, {}, b" " * (MAX_ANSWER_BYTES + 1)), BadAnswerError),
    ((302, {"Location": "http://127.0.0.1:1/elsewhere"}, b""), BadAnswerError),
    ((500, {}, b"<html>oops</html>"), RegistryUnavailableError),
    ((401, {}, b""), RegistryUnavailableError),
]


@pytest.mark.parametrize(("bad", "error"), GARBAGE)
def test_a_registry_that_misbehaves_is_an_error_in_our_words(
    bad: Page, error: type[Exception]
) -> None:
    with serving(Answering({"/subjects": bad})) as server:
        with pytest.raises(error):
            Mirror(server.login).round()
        with pytest.raises(error):
            Confluent(server.login).subjects()
        # Nobody was led elsewhere.
        assert {path for path, _ in server.asked} == {"/subjects"}


def test_a_registry_that_drips_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracing.schemas.confluent.BUDGET_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def drip() -> None:
            client, _ = listener.accept()
            with client:
                client.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not stop.wait(0.05):
                    try:
                        client.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        login = Login(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(RegistryUnavailableError):
            Confluent(login).check_all("s", Draft(text("a")))
        stop.set()
        thread.join()
