"""Addresses of the sagas' pages."""

from __future__ import annotations

from django.urls import path

from tracing.web.sagas import definitions, moving, views

urlpatterns = [
    path("sagas/", views.sagas, name="sagas"),
    path("sagas/definitions/", definitions.definitions, name="saga-definitions"),
    path("sagas/definitions/edit", definitions.edit, name="saga-edit"),
    path("sagas/definitions/save", definitions.save, name="saga-save"),
    path("sagas/definitions/move", moving.move, name="saga-move"),
    path("sagas/definitions/end", definitions.end, name="saga-end"),
    path("sagas/<str:saga_id>", views.saga, name="saga"),
]
