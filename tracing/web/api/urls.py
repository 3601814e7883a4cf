"""Addresses of the JSON API."""

from __future__ import annotations

from django.urls import path, re_path

from tracing.web import address as address  # registers the converter `anyid`
from tracing.web.api import dead_letters, retries, sagas, schemas, views

urlpatterns = [
    path("api/flows", views.flows, name="api-flows"),
    path("api/flows/<anyid:correlation_id>", views.flow, name="api-flow"),
    path("api/events", views.events, name="api-events"),
    path("api/events/<anyid:event_id>", views.event, name="api-event"),
    path("api/retries", retries.retries, name="api-retries"),
    path("api/retries/<uuid:run_id>", retries.retry, name="api-retry"),
    path("api/retries/<uuid:run_id>/cancel", retries.cancel, name="api-retry-cancel"),
    path("api/dead-letters", dead_letters.groups, name="api-dead-letters"),
    path("api/dead-letters/<str:key>", dead_letters.group, name="api-dead-letter-group"),
    path("api/sagas", sagas.sagas, name="api-sagas"),
    path("api/sagas/<str:saga_id>", sagas.saga, name="api-saga"),
    path("api/schemas/wire", schemas.wire, name="api-schemas-wire"),
    path("api/schemas/check", schemas.check, name="api-schemas-check"),
    re_path(r"^api/(?P<rest>.*)$", views.not_found),
]
