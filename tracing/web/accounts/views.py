"""Whether the server is well, for supervisors and load balancers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tracing.projections import reading

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
