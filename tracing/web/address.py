"""Addresses and element ids that bear any id of any producer."""

from __future__ import annotations

from urllib.parse import quote

from django.urls import register_converter

from tracing.domain.text import clean, digest16

# Browsers resolve these as path segments even when they are percent-encoded, so they travel
# behind a tilde; an id that begins with a tilde gets a second one.
_DOT_SEGMENTS = {".", ".."}


def encode_id(text: str) -> str:
    """Return an id as one path segment."""
    escaped = f"~{text}" if text in _DOT_SEGMENTS or text.startswith("~") else text
    return quote(escaped, safe="")


def decode_id(segment: str) -> str:
    """Return the id of a path segment that the server has percent-decoded already."""
    return segment[1:] if segment.startswith("~") else segment


class AnyId:
    """URL converter `anyid`: everything up to the end, slashes and newlines included."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        """Return the id as it is stored: a producer's own text finds what was cleaned of it."""
        return clean(decode_id(value))

    def to_url(self, value: str) -> str:
        """Return the id as it stands in a path, before percent-encoding."""
        return f"~{value}" if value in _DOT_SEGMENTS or value.startswith("~") else value


register_converter(AnyId, "anyid")


def flow_url(correlation_id: str, event_id: str | None = None) -> str:
    """Return the page of a flow, and of one event in it."""
    url = f"/flows/{encode_id(correlation_id)}"
    return url if event_id is None else f"{url}?event={quote(event_id, safe='')}"


def flow_api_url(correlation_id: str) -> str:
    """Return a flow's JSON."""
    return f"/api/flows/{encode_id(correlation_id)}"


def event_api_url(event_id: str) -> str:
    """Return an event's JSON."""
    return f"/api/events/{encode_id(event_id)}"


def element_id(prefix: str, text: str) -> str:
    """Return an element id for a stranger's text: the prefix and 16 hexadecimal digits."""
    return f"{prefix}-{digest16(text)[:8].hex()}"
