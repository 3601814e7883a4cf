"""Whether the server is well, and the page behind a one-time link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import login
from django.contrib.auth.forms import SetPasswordForm
from django.db import DatabaseError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tracing.projections import reading
from tracing.web.accounts.links import open_link, use_link

if TYPE_CHECKING:
    from django.http import HttpRequest


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer 200 while pages can be read from the database, else 503; says nothing else."""
    try:
        reading.head()
    except DatabaseError:
        return HttpResponse("database away\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Let the owner of a one-time link choose a password, and sign them in.

    Looking at the page uses nothing up: previews of links do that too.
    """
    user = open_link(token)
    if user is None:
        return render(request, "tracing/link.html", status=410)
    form = SetPasswordForm(user, request.POST if request.method == "POST" else None)
    if form.is_valid() and use_link(user, form.cleaned_data["new_password1"]):
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("flows")
    return render(request, "tracing/link.html", {"form": form, "account": user})
