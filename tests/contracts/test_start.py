"""One command runs eventviz for a cluster of one's own, and says what it cannot do."""

from __future__ import annotations

import re
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.servers.embedded import embedded_broker
from tests.servers.processes import MANAGE, Process, can_connect, free_port, wait_for
from tests.strangers.producing import Sent, create_topics, envelope, send

pytestmark = [pytest.mark.slow, pytest.mark.broker]

PASSWORD = "a wonderland of words"


@contextmanager
def started(folder: Path, broker: str, port: int, *arguments: str) -> Iterator[Process]:
    """Run `manage.py start` with its database in the folder."""
    env = {
        "EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS": broker,
        "EVENTVIZ_DATABASE_URL": f"sqlite:///{folder / 'eventviz.sqlite3'}",
        "EVENTVIZ_DEMO": "0",
    }
    command = [*MANAGE, "start", "--port", str(port), *arguments]
    with Process("start", command, folder / f"start-{uuid.uuid4()}.log", env=env) as process:
        yield process


def words(process: Process) -> str:
    """Return what it says once it has said how to end it."""
    return process.wait_until(
        lambda: process.output if "Ctrl-C" in process.output else "", "its words", within_s=180
    )


def link_in(text: str) -> str:
    found = re.search(r"Sign in +(http://\S+)", text)
    return found[1] if found else ""


def choose_password(browser: requests.Session, link: str) -> requests.Response:
    """Do what a person does with the link."""
    page = browser.get(link, timeout=60)
    assert page.status_code == 200
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    form = {"new_password1": PASSWORD, "new_password2": PASSWORD, "csrfmiddlewaretoken": token[1]}
    return browser.post(link, data=form, timeout=60)


def test_the_first_administrator_signs_in_by_a_link_that_works_once(tmp_path: Path) -> None:
    port, flow = free_port(), f"flow-{uuid.uuid4()}"
    pages = f"http://127.0.0.1:{port}"
    with embedded_broker(tmp_path) as broker, requests.Session() as browser:
        create_topics(broker, ["orders"])
        send(broker, [Sent("orders", envelope("OrderPlaced", correlation_id=flow))])
        with started(tmp_path, broker, port) as first:
            link = link_in(words(first))
            assert requests.get(f"{pages}/api/flows", timeout=60).status_code == 401

            answer = choose_password(browser, link)

            assert answer.url == f"{pages}/flows/"
            wait_for(lambda: flow in browser.get(answer.url, timeout=60).text, flow)
            assert browser.get(f"{pages}/admin/", timeout=60).status_code == 200
            assert requests.get(link, timeout=60).status_code == 410
            first.send(signal.SIGINT)
            assert first.wait() == 0
            assert not can_connect(port)
        with started(tmp_path, broker, port) as second:
            assert not link_in(words(second))


def test_a_broker_that_is_away_is_named_and_waited_for(tmp_path: Path) -> None:
    port, kafka = free_port(), free_port()
    with started(tmp_path, f"127.0.0.1:{kafka}", port) as process:
        said = words(process)

        assert f"127.0.0.1:{kafka}: Connection refused. The ingestor keeps trying." in said
        with embedded_broker(tmp_path, port=kafka) as broker:
            create_topics(broker, ["orders"])
            process.wait_until(lambda: "Reading orders" in process.output, "to read")


def test_a_taken_port_and_wrong_settings_are_said_in_one_line(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as broker:
        taken = int(broker.rpartition(":")[2])
        with started(tmp_path, broker, taken) as process:
            assert process.wait() == 1
            assert process.output.strip() == (
                f"CommandError: Port {taken} is taken: run manage.py start --port {taken + 1}"
            )
        with started(tmp_path, broker, free_port(), "--ingestors", "2") as process:
            assert process.wait() == 1
            assert "several need Postgres" in process.output
