"""All subjects at /schemas/, one with its versions side by side at /schemas/subject/<name>."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from tracing.domain.text import clean
from tracing.web.access import Role, has_role
from tracing.web.schemas import present

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tracing.web.context import HtmxRequest


@require_safe
def schemas(request: HtmxRequest) -> HttpResponse:
    """Show subjects; to htmx only the list."""
    text, after = (clean(request.GET.get(name, "").strip()) for name in ("q", "after"))
    template = "partials/_schemas.html" if request.htmx else "schemas.html"
    context = present.overview(text, after, deleted=bool(request.GET.get("deleted")))
    response = render(request, f"tracing/{template}", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
def subject(request: HttpRequest, name: str) -> HttpResponse:
    """Show one subject; `old` and `new` choose the versions that stand side by side."""
    old, new = (_number(request.GET.get(field, "")) for field in ("old", "new"))
    context = present.detail(name, old, new)
    if context is None:
        raise Http404
    context["can_delete"] = has_role(request.user, Role.ADMIN)
    return render(request, "tracing/schema_subject.html", context)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
