"""Addresses of the consumer groups' pages."""

from __future__ import annotations

from django.urls import path

from tracing.web.groups.views import group, groups

urlpatterns = [
    path("groups/", groups, name="groups"),
    path("groups/<anyid:name>", group, name="group"),
]
