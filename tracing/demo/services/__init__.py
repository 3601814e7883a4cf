"""The five services. Each is a table: what it does about which event."""

from __future__ import annotations

from typing import Final

from tracing.demo.service import Service
from tracing.demo.services.email import EMAIL
from tracing.demo.services.inventory import INVENTORY
from tracing.demo.services.order import ORDER
from tracing.demo.services.payment import PAYMENT
from tracing.demo.services.shipping import SHIPPING

SERVICES: Final[tuple[Service, ...]] = (ORDER, INVENTORY, PAYMENT, SHIPPING, EMAIL)
