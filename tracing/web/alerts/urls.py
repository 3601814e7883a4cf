"""Addresses of the alerts' page."""

from __future__ import annotations

from django.urls import path

from tracing.web.alerts import views

urlpatterns = [
    path("alerts/", views.alerts, name="alerts"),
    path("alerts/mute", views.mute, name="alerts-mute"),
]
