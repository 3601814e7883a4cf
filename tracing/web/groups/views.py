"""All consumer groups at /groups/, one with its members at /groups/<name>."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tracing.web.groups import present

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def groups(request: HttpRequest) -> HttpResponse:
    """Show all groups with their lag."""
    return render(request, "tracing/groups.html", present.overview())


@require_safe
def group(request: HttpRequest, name: str) -> HttpResponse:
    """Show one group: its members, what each holds, and the lag of each partition."""
    context = present.detail(name)
    if context is None:
        raise Http404
    return render(request, "tracing/group.html", context)
