"""Addresses of the dead letters' pages."""

from __future__ import annotations

from django.urls import path

from tracing.web.dead_letters import views

urlpatterns = [
    path("dead-letters/", views.inbox, name="dead-letters"),
    path("dead-letters/in-retry", views.in_retry, name="in-retry"),
    path("dead-letters/<str:key>", views.group, name="dead-letter-group"),
    path("dead-letters/<str:key>/aside", views.put_aside, name="dead-letter-aside"),
    path("dead-letters/<str:key>/restore", views.restore, name="dead-letter-restore"),
    path("dead-letters/<str:key>/decide", views.decide, name="dead-letter-decide"),
    path("dead-letters/<str:key>/<int:record>", views.message, name="dead-letter"),
]
