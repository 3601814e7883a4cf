"""What the pages of sagas say of what went wrong, and what they offer."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.integration.web.test_sagas import BEGINNING, SHOP, decided_here, order, shop, text_of
from tests.unit.domain.saga.test_derive import SAGAS
from tracing.models import Event
from tracing.projections.saga_decisions import declare

__all__ = ["decided_here", "shop"]

pytestmark = pytest.mark.usefixtures("decided_here")


@pytest.mark.usefixtures("shop")
def test_a_step_that_was_never_undone_looks_like_a_failure_everywhere(demo: Client) -> None:
    path = order("OrderPlaced", "StockReserved", "PaymentFailed", "OrderCancelled", ago_s=60)

    page, listed = text_of(demo, path), text_of(demo, "/sagas/?state=cancelled")

    assert 'data-stand="not_undone"' in page
    assert "Not undone: Release stock never came." in page
    row = listed[listed.index('class="saga-row row"') :]
    assert '<span class="chip fail" title="cancelled, not undone">CANCELLED</span>' in row
    assert 'bad-fail" title="stock reserved, never released"' in row


def test_the_command_that_failed_is_offered_for_sending_again(demo: Client) -> None:
    declare((SAGAS / "orchestrated-order.yaml").read_text(), by="test", valid_from=BEGINNING)
    asked = ("OrderSubmitted", "ReserveStock", "StockReserved", "ProcessPayment", "PaymentFailed")
    path = order(*asked, "ReleaseStock", "StockReleaseFailed", ago_s=600, reason="shelf_locked")
    command = Event.objects.get(event_id="ORD-1042-5")

    page = text_of(demo, path)

    assert "Release stock failed: shelf locked." in page
    assert "A person has to see to <b>Release stock</b>" in page
    assert (
        f'href="/retries/new?kind=replay&record={command.record}">Send ReleaseStock again' in page
    )
    assert f'href="/retries/edit?record={command.record}"' in page
    assert "overdue" not in page[page.index('id="saga-head"') : page.index('id="saga-track"')]


def test_a_new_definition_bears_no_name_that_is_in_force(demo: Client) -> None:
    first = text_of(demo, "/sagas/definitions/edit")
    declare(SHOP, by="test", valid_from=BEGINNING)
    second = text_of(demo, "/sagas/definitions/edit?starts=TripRequested")

    assert "saga: Order\n" in first
    assert "saga: My saga\nstarts: TripRequested" in second


@pytest.mark.usefixtures("shop")
def test_what_was_checked_is_counted(demo: Client) -> None:
    order("OrderPlaced")

    assert "1 checked, nothing odd" in text_of(demo, "/sagas/")
