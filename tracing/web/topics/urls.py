"""Addresses of the topics' pages."""

from __future__ import annotations

from django.urls import path

from tracing.web.topics.views import topic, topics

urlpatterns = [
    path("topics/", topics, name="topics"),
    path("topics/<anyid:name>", topic, name="topic"),
]
