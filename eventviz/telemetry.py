"""OpenTelemetry: spans get ids everywhere, and leave the process only when asked to.

The rooms use the API alone; a command hands them tracers made here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

SCOPE = "eventviz"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def provider(service: str) -> TracerProvider:
    """Return a provider whose spans belong to `service`.

    They are exported by OTLP over HTTP when OTEL_EXPORTER_OTLP_ENDPOINT is set (or the variable
    for traces alone), in the background; see the OpenTelemetry SDK's environment variables.
    """
    made = TracerProvider(resource=Resource.create({SERVICE_NAME: service}))
    if any(os.environ.get(name) for name in _ENDPOINTS):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return made


def tracer_of(service: str) -> Tracer:
    """Return a tracer for one of several services of this process."""
    return provider(service).get_tracer(SCOPE)
