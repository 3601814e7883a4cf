"""All topics at /topics/, one with its partitions at /topics/<name>."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tracing.web.flows.first_event import first_event
from tracing.web.topics import present

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def topics(request: HttpRequest) -> HttpResponse:
    """Show all topics and the ingestors."""
    context = {**present.overview(), "first_event": first_event}
    return render(request, "tracing/topics.html", context)


@require_safe
def topic(request: HttpRequest, name: str) -> HttpResponse:
    """Show one topic with its partitions, gaps and what could not be decoded."""
    context = present.detail(name)
    if context is None:
        raise Http404
    return render(request, "tracing/topic.html", context)
