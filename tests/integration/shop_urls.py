"""Addresses as they are where the shop runs."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("tracing.demo.urls")), path("", include("tracing.urls"))]
