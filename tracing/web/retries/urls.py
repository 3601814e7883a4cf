"""Addresses of the retries' pages."""

from __future__ import annotations

from django.urls import path

from tracing.web.retries import decisions, views

urlpatterns = [
    path("retries/", views.retries, name="retries"),
    path("retries/new", views.new, name="retry-new"),
    path("retries/edit", decisions.edit, name="retry-edit"),
    path("retries/edit/check", decisions.check, name="retry-edit-check"),
    path("retries/discard", decisions.discard, name="discard"),
    path("retries/restore", decisions.restore, name="restore"),
    path("retries/<uuid:run_id>", views.run, name="retry-run"),
    path("retries/<uuid:run_id>/pause", views.pause, name="retry-pause"),
    path("retries/<uuid:run_id>/resume", views.resume, name="retry-resume"),
    path("retries/<uuid:run_id>/cancel", views.cancel, name="retry-cancel"),
    path("audit/", views.audit, name="audit"),
]
