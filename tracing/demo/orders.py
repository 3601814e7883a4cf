"""Make an order and place it: the first event of every flow of the shop."""

from __future__ import annotations

import uuid
from secrets import SystemRandom
from typing import TYPE_CHECKING, Final, NamedTuple

from tracing.demo.events import SAGA_ORDERS, SUBMITTED
from tracing.demo.publishing import Context, Payload, Publisher
from tracing.demo.scenarios import Pattern, Scenario
from tracing.demo.versions import KNOWN, NEWEST, UNKNOWN

if TYPE_CHECKING:
    from tracing.kafka.producer import Coordinates

# The order service; the web page places orders in its name.
SOURCE: Final = "order"

_dice: Final = SystemRandom()
# (stock keeping unit, name, price in cents)
_GOODS: Final = (
    ("LAMP-01", "Desk lamp", 3_990),
    ("MUG-07", "Enamel mug", 1_290),
    ("BOOK-42", "Field notes", 1_850),
    ("CHAIR-3", "Folding chair", 8_900),
    ("TEA-12", "Mountain tea", 740),
    ("BAG-09", "Canvas bag", 4_500),
)
_ADDRESSES: Final = ("12 Harbour Road, Bergen", "4 Mill Lane, Ghent", "88 Orchard Street, Graz")
# What inventory has forgotten in its table of shelves.
PIANO: Final = "PIANO-88"


class Placed(NamedTuple):
    """A placed order: its id, its flow, and where Kafka put the event."""

    order_id: str
    correlation_id: str
    coordinates: Coordinates


def place_order(
    publisher: Publisher,
    order_id: str,
    scenario: Scenario,
    pattern: Pattern = Pattern.CHOREOGRAPHY,
) -> Placed:
    """Publish an order's first event and wait until it arrived. Raises RecordNotSentError.

    OrderPlaced sets the services in motion, OrderSubmitted the orchestrator.
    """
    context = Context(order_id=order_id, correlation_id=str(uuid.uuid4()))
    basket = _basket(order_id, scenario)
    if pattern is Pattern.ORCHESTRATION:
        message = publisher.compose(SUBMITTED, basket, context, topic=SAGA_ORDERS)
    else:
        version = _version(scenario)
        payload = _as_version(basket, version)
        message = publisher.compose("OrderPlaced", payload, context, version=version)
    coordinates = publisher.send(message)
    if scenario is Scenario.DELIVERED_TWICE:
        # As after a lost acknowledgement: the same event, once more.
        publisher.send(message)
    return Placed(order_id, context.correlation_id, coordinates)


def _version(scenario: Scenario) -> str:
    """Return which version a customer's client writes: every third one is an old one."""
    if scenario is Scenario.UNKNOWN_VERSION:
        return UNKNOWN
    return KNOWN["OrderPlaced"][0] if _dice.randrange(3) == 0 else NEWEST


def _as_version(basket: Payload, version: str) -> Payload:
    """Return an order as a version of OrderPlaced says it (`schemas/`)."""
    if version == NEWEST:
        return basket | {"shippingAddress": _dice.choice(_ADDRESSES)}
    if version != UNKNOWN:
        return {name: value for name, value in basket.items() if name != "currency"}
    total = {"amount": basket["amount"], "currency": basket["currency"]}
    kept: Payload = {
        name: basket[name] for name in ("orderId", "customerId", "scenario") if name in basket
    }
    return {**kept, "lines": basket["items"], "total": total}


def _basket(order_id: str, scenario: Scenario) -> Payload:
    # With two items or more, one is set aside before the other turns out to be missing.
    least = 2 if scenario is Scenario.OUT_OF_STOCK else 1
    goods = _dice.sample(_GOODS, _dice.randint(least, 3))
    items: list[Payload] = [
        {"sku": sku, "name": name, "quantity": _dice.randint(1, 3), "price": price / 100}
        for sku, name, price in goods
    ]
    if scenario is Scenario.PRODUCT_BUG:
        items.append({"sku": PIANO, "name": "Grand piano", "quantity": 1, "price": 9_800.0})
    payload: Payload = {
        "orderId": order_id,
        "customerId": f"CUST-{_dice.randint(100, 999)}",
        "items": items,
        "amount": round(sum(item["quantity"] * item["price"] for item in items), 2),
        "currency": "EUR",
    }
    if scenario is Scenario.BAD_PAYLOAD:
        items[0]["quantity"] = "two"
    if scenario is not Scenario.FINE:
        payload["scenario"] = scenario.value
    return payload
