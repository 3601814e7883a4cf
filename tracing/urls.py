"""Addresses of the app."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

# Patterns are tried one after the other: scripts ask most often, and the prefix spares all others.
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("tracing.web.api.urls")),
    path("", include("tracing.web.accounts.urls")),
    path("", include("tracing.web.flows.urls")),
    path("", include("tracing.web.flow.urls")),
    path("", include("tracing.web.tail.urls")),
    path("", include("tracing.web.search.urls")),
    path("", include("tracing.web.topics.urls")),
    path("", include("tracing.web.groups.urls")),
    path("", include("tracing.web.mapping.urls")),
    path("", include("tracing.web.dead_letters.urls")),
    path("", include("tracing.web.sagas.urls")),
    path("", include("tracing.web.retries.urls")),
    path("", include("tracing.web.alerts.urls")),
    path("", include("tracing.web.schemas.urls")),
    path("registry/", include("tracing.web.registry.urls")),
    path("admin/", admin.site.urls),
]
if settings.EVENTVIZ_SHOP:
    urlpatterns.append(path("", include("tracing.demo.urls")))
