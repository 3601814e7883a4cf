"""Schemas over the JSON API: versions on the wire, what breaks them, who would break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.codec.formats.schema import Schema
from tracing.projections.version_reading import seen
from tracing.schemas.breaking import who_would_break
from tracing.schemas.parsing import parse
from tracing.schemas.registry import Draft
from tracing.schemas.violations import violations
from tracing.schemas.wire import MAX_PAYLOADS
from tracing.web.api import parameters
from tracing.web.api.parameters import BadParameterError
from tracing.web.api.retries import endpoint
from tracing.web.api.views import answer

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class Asked(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What `POST /api/schemas/check` takes: a schema, and the event type that it is for."""

    type: str
    schema: str
    schema_type: str = "AVRO"
    limit: int = MAX_PAYLOADS


@endpoint("GET", "HEAD")
def wire(request: HttpRequest) -> HttpResponse:
    """Return the versions of a type that were seen, and what breaks its schemas."""
    given = request.GET.dict()
    parameters.check_known(given, ("type",))
    event_type = parameters.text(given, "type")
    if not event_type:
        raise BadParameterError("type", "an event type.")
    rows = seen([event_type]).get(event_type, [])
    return answer(
        {
            "type": event_type,
            "versions": [msgspec.to_builtins(row) for row in rows],
            "violations": [msgspec.to_builtins(one) for one in violations(event_type=event_type)],
        }
    )


@endpoint("POST")
def check(request: HttpRequest) -> HttpResponse:
    """Return which of the newest payloads of a type a schema does not fit. Changes nothing."""
    asked = msgspec.json.decode(request.body, type=Asked)
    if not 1 <= asked.limit <= MAX_PAYLOADS:
        raise BadParameterError("limit", f"a number from 1 to {MAX_PAYLOADS:,}.")
    parse(Draft(asked.schema, asked.schema_type))
    found = who_would_break(Schema(asked.schema_type, asked.schema), asked.type, limit=asked.limit)
    return answer(msgspec.to_builtins(found))
