"""Orders that arrive by themselves, so that there is always something to see."""

from __future__ import annotations

import itertools
from secrets import SystemRandom
from typing import TYPE_CHECKING, Final

from tracing.demo.orders import place_order
from tracing.demo.scenarios import PLAYS, Pattern, Scenario

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from tracing.demo.publishing import Publisher

_dice: Final = SystemRandom()
# Those placed on the page bear another prefix, so no two orders share a key.
PREFIX: Final = "ORD"
FIRST_NUMBER: Final = 1001
# Whose turn it is: every third order is the orchestrator's.
_PATTERNS: Final = (Pattern.CHOREOGRAPHY, Pattern.ORCHESTRATION, Pattern.CHOREOGRAPHY)


def scenarios() -> Iterator[Scenario]:
    """Yield what happens to one order after the other: mostly nothing special.

    The first ones show what can go wrong, so that a new visitor need not wait for it.
    """
    yield from (Scenario.FINE, Scenario.FINE, Scenario.PAYMENT_DECLINED, Scenario.FINE)
    yield from (Scenario.FINE, Scenario.NOTHING_UNDONE, Scenario.FINE)
    yield from (Scenario.PRODUCT_BUG, Scenario.FINE)
    weights = [play.percent for play in PLAYS.values()]
    while True:
        yield from _dice.choices(tuple(PLAYS), weights)


def place_orders(publisher: Publisher, rate: float, stop: threading.Event) -> None:
    """Place about `rate` orders a second until told to stop; none when it is 0.

    Raises RecordNotSentError.
    """
    if not rate:
        return
    for number, scenario, pattern in zip(
        itertools.count(FIRST_NUMBER), scenarios(), itertools.cycle(_PATTERNS), strict=False
    ):
        place_order(publisher, f"{PREFIX}-{number}", scenario, pattern)
        # Customers do not come like clockwork.
        if stop.wait(_dice.uniform(0.5, 1.5) / rate):
            return
