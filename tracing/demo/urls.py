"""Address of the shop's page."""

from __future__ import annotations

from django.urls import path

from tracing.demo import views

urlpatterns = [
    path("shop/", views.shop, name="shop"),
    path("shop/gateway", views.gateway, name="shop-gateway"),
]
