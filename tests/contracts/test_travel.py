"""A stranger's saga: a travel booking by kafkajs, declared with nothing but the README at hand."""

from __future__ import annotations

import html
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.servers.product import Product

BOOKING = """
saga: Travel booking
starts: BookingRequested
key: $.bookingId
steps:
  - name: Book flight
    success: FlightBooked
    failure: FlightRefused
    timeout: 1m
    compensation:
      name: Cancel flight
      success: FlightCancelled
      timeout: 30s
  - parallel:
      - name: Book hotel
        success: HotelBooked
        failure: HotelRefused
        compensation: {name: Cancel hotel, success: HotelCancelled}
      - {name: Rent car, success: CarRented, failure: CarRefused}
ends: {completed: BookingConfirmed, cancelled: BookingCancelled}
"""
# Two bookings in one flow: a group travels together.
GOES_WELL = "BookingRequested FlightBooked CarRented HotelBooked BookingConfirmed"
GOES_BACK = "BookingRequested FlightBooked HotelBooked CarRefused HotelCancelled FlightCancelled"


def travel(folder: Path, product: Product, flow: str, told: list[str]) -> None:
    """Let the agency's services send what happens."""
    command = ["node", "travel.js", product.broker, "travel", flow, *told]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)


def saga_of(product: Product, booking: str, state: str) -> dict[str, Any]:
    """Wait until a booking is in a state; return it whole."""

    def look() -> dict[str, Any] | None:
        found = product.json(f"/api/sagas?key={booking}")["sagas"]
        return next((one for one in found if one["state"] == state), None)

    line = product.wait_for(look, f"{booking} is {state}")
    whole: dict[str, Any] = product.json(f"/api/sagas/{line['id']}")
    return whole


@pytest.mark.slow
def test_a_strangers_travel_booking_shows_correctly(
    kafkajs: Path, product: Product, tmp_path: Path
) -> None:
    file = tmp_path / "booking.yaml"
    file.write_text(BOOKING)
    declare = product.manage("saga", str(file), "--valid-from", "2020-01-01")
    assert declare.wait() == 0, declare.output
    flow, one, other = (f"{name}-{uuid.uuid4().hex[:6]}" for name in ("GROUP", "BK", "BK"))

    well = [f"{one}:{event_type}" for event_type in GOES_WELL.split()]
    back = [f"{other}:{event_type}" for event_type in GOES_BACK.split()]
    travel(
        kafkajs, product, flow, [told for pair in zip(well, back, strict=False) for told in pair]
    )
    travel(kafkajs, product, flow, [back[-1]])

    done = saga_of(product, one, "COMPLETED")
    assert [step["status"] for step in done["steps"]] == ["done", "done", "done"]
    turned = saga_of(product, other, "COMPENSATING")
    assert [step["status"] for step in turned["steps"]] == ["done", "done", "failed"]
    assert turned["flags"] == []
    _, page = product.get(f"/sagas/{turned['id']}")
    text = html.unescape(page)
    assert "Rent car failed, sold out." in text
    assert "2 in parallel" in text
    travel(kafkajs, product, flow, [f"{other}:BookingCancelled"])
    ended = saga_of(product, other, "CANCELLED")
    undone = [step["compensation"]["status"] for step in ended["steps"] if step["compensation"]]
    assert undone == ["done", "done"]
    _, page = product.get(f"/sagas/{ended['id']}")
    assert "Undone: Cancel hotel, Cancel flight." in html.unescape(page)
