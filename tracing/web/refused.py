"""The page of a request that is not understood, or too long to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.shortcuts import render
from django.views.defaults import bad_request

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say what was too long; of anything else nothing is known but that it is wrong."""
    if isinstance(exception, RequestDataTooBig):
        context = {"most": settings.DATA_UPLOAD_MAX_MEMORY_SIZE}
        return render(request, "tracing/too_long.html", context, status=413)
    return bad_request(request, exception)
