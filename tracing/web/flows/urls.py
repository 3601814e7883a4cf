"""Addresses of the flow list."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from tracing.web.flows.views import flows

urlpatterns = [
    path("", RedirectView.as_view(url="/flows/", permanent=False), name="home"),
    path("flows/", flows, name="flows"),
]
