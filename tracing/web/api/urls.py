"""Addresses of the JSON API."""

from __future__ import annotations

from django.urls import path, re_path

from tracing.web import address as address  # registers the converter `anyid`
from tracing.web.api import dead_letters, retries, sagas, schemas, views

urlpatterns = [
    path("flows", views.flows, name="api-flows"),
    path("flows/<anyid:correlation_id>", views.flow, name="api-flow"),
    path("events", views.events, name="api-events"),
    path("events/<anyid:event_id>", views.event, name="api-event"),
    path("retries", retries.retries, name="api-retries"),
    path("retries/<uuid:run_id>", retries.retry, name="api-retry"),
    path("retries/<uuid:run_id>/cancel", retries.cancel, name="api-retry-cancel"),
    path("dead-letters", dead_letters.groups, name="api-dead-letters"),
    path("dead-letters/<str:key>", dead_letters.group, name="api-dead-letter-group"),
    path("sagas", sagas.sagas, name="api-sagas"),
    path("sagas/<str:saga_id>", sagas.saga, name="api-saga"),
    path("schemas/wire", schemas.wire, name="api-schemas-wire"),
    path("schemas/check", schemas.check, name="api-schemas-check"),
    re_path(r"^(?P<rest>.*)$", views.not_found),
]
