"""A hanging ingestor is ended, a working one is not."""

from __future__ import annotations

import threading

from tracing.ingest.watchdog import EXIT_CODE, Watchdog


def test_it_bites_when_nothing_moves() -> None:
    bitten = threading.Event()
    codes = []

    def bite(code: int) -> None:
        codes.append(code)
        bitten.set()

    watchdog = Watchdog(limit_s=0.02, bite=bite)

    assert bitten.wait(60)
    watchdog.stop()
    assert codes == [EXIT_CODE]


def test_it_lets_a_living_one_work() -> None:
    codes: list[int] = []
    watchdog = Watchdog(limit_s=60, bite=codes.append)

    watchdog.alive()
    watchdog.stop()

    assert codes == []
