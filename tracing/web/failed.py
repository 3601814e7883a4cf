"""The page of a request that failed on our side."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults


def failed(request: HttpRequest) -> HttpResponse:
    """Return 503 when the database is away, which passes, else 500. No query."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        page = loader.get_template("503.html").render()
        return HttpResponse(page, status=503, headers={"Retry-After": "5"})
    return defaults.server_error(request)
