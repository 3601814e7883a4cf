"""Addresses of the schemas' pages."""

from __future__ import annotations

from django.urls import path

from tracing.web.schemas import changes, views

urlpatterns = [
    path("schemas/", views.schemas, name="schemas"),
    path("schemas/register", changes.register, name="schema-register"),
    path("schemas/level", changes.level, name="schema-level"),
    path("schemas/delete", changes.delete, name="schema-delete"),
    path("schemas/restore", changes.restore, name="schema-restore"),
    path("schemas/subject/<anyid:name>", views.subject, name="schema-subject"),
]
