"""Address of the live tail."""

from __future__ import annotations

from django.urls import path

from tracing.web.tail.views import tail

urlpatterns = [path("tail/", tail, name="tail")]
