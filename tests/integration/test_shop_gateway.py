"""The switch of the bank's gateway on the shop's page."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from tests.integration.people import somebody
from tracing.web.access import Role

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.integration.shop_urls")]


@pytest.fixture(autouse=True)
def own_store(settings: Settings, tmp_path: Path) -> None:
    settings.EVENTVIZ_SHOP_STORE = str(tmp_path / "shop")


def test_an_operator_switches_it_and_comes_back_to_the_order(client: Client) -> None:
    client.force_login(somebody("olga", Role.OPERATOR))
    assert "is <b>up</b>" in client.get("/shop/").content.decode()

    answer = client.post("/shop/gateway", {"on": "0", "flow": "f-1", "order": "WEB-1"})

    assert answer["Location"] == "/shop/?order=WEB-1&flow=f-1"
    assert "is <b>down</b>" in client.get("/shop/").content.decode()


def test_a_viewer_may_not(client: Client) -> None:
    client.force_login(somebody("vic"))

    assert client.post("/shop/gateway", {"on": "0"}).status_code == 403
    assert "Switch it" not in client.get("/shop/").content.decode()
