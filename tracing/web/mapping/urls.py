"""Addresses of the mapping pages."""

from __future__ import annotations

from django.urls import path

from tracing.web.mapping import views

urlpatterns = [
    path("mapping/", views.mapping, name="mapping"),
    path("mapping/apply", views.apply, name="mapping-apply"),
    path("mapping/end", views.end, name="mapping-end"),
    path("mapping/rebuild", views.rebuild, name="mapping-rebuild"),
]
