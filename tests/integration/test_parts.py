"""Daphne sends texts in parts: whole and in order, also to somebody who reads late."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks.websocket import WebSocket
from tests.integration.parts_app import BODY, MESSAGES
from tests.servers.processes import Process, can_connect, free_port

pytestmark = pytest.mark.slow


async def test_daphne_sends_parts_whole_and_in_order(tmp_path: Path) -> None:
    port = free_port()
    app = "tests.integration.parts_app:application"
    command = (sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), app)

    with Process("daphne", command, tmp_path / "daphne.log") as daphne:
        daphne.wait_until(lambda: can_connect(port), "listen")
        script = await WebSocket.connect(port, "/")
        texts = [await script.receive() for _ in range(MESSAGES)]
        last = await script.receive()
        script.send("good bye")
        answer = await script.receive()
        await script.close()

    assert texts == [f"{BODY.decode()}{number}." for number in range(MESSAGES)]
    assert (last, answer) == ("That was all.", "You said good bye")
    assert not daphne.output
