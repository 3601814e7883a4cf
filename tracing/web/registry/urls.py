"""Addresses of the built-in registry. The longest match first: names may hold slashes."""

from __future__ import annotations

from django.urls import path

from tracing.web.registry import answers, views

_SUBJECT = "subjects/<path:subject>"
_VERSION = f"{_SUBJECT}/versions/<str:version>"

urlpatterns = [
    path("", views.root),
    path("schemas", views.listed),
    path("schemas/types", views.types),
    path("schemas/types/", views.types),
    path("schemas/ids/<int:number>", views.by_id),
    path("schemas/ids/<int:number>/schema", views.text_of_id),
    path("schemas/ids/<int:number>/subjects", views.subjects_of_id),
    path("schemas/ids/<int:number>/versions", views.versions_of_id),
    path(f"compatibility/{_VERSION}", views.check),
    path(f"compatibility/{_SUBJECT}/versions", views.check_all),
    path("subjects", views.subjects),
    path(f"{_VERSION}/schema", views.text_of_version),
    path(f"{_VERSION}/referencedby", views.referenced_by),
    path(_VERSION, views.version),
    path(f"{_SUBJECT}/versions", views.versions),
    path(_SUBJECT, views.subject),
    path("config", views.level),
    path("config/<path:subject>", views.level),
    path("mode", views.mode),
    path("mode/<path:subject>", views.mode),
    path("contexts", views.contexts),
    path("<path:_>", answers.nothing),
]
