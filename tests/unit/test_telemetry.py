"""Spans have ids everywhere and leave the process only when asked to."""

from __future__ import annotations

import pytest

from eventviz.telemetry import provider


@pytest.fixture(autouse=True)
def no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_a_span_has_ids_without_any_exporter() -> None:
    made = provider("payment")

    span = made.get_tracer("test").start_span("charge")

    assert span.get_span_context().is_valid
    assert made.resource.attributes["service.name"] == "payment"
    assert made._active_span_processor._span_processors == ()


def test_an_endpoint_turns_the_export_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")

    made = provider("payment")

    assert len(made._active_span_processor._span_processors) == 1
    made.shutdown()
