"""Address of a flow's page; its socket's is beside it."""

from __future__ import annotations

from django.urls import path

from tracing.web.flow.views import flow

urlpatterns = [path("flows/<anyid:correlation_id>", flow, name="flow")]
