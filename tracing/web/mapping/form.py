"""The form that tries a mapping: fields in, a mapping or words on what is wrong with each out."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

import msgspec

from tracing.codec.rules import FIELDS, BadMappingError, Mapping

if TYPE_CHECKING:
    from collections.abc import Mapping as Values

MAX_PATH = 400
MAX_PATTERN = 249
LABELS = {
    "event_id": "Event id",
    "correlation_id": "Correlation id",
    "causation_id": "Causation id",
    "event_type": "Type",
    "occurred": "Time",
    "source": "Service",
    "schema_version": "Schema version",
    "payload": "Payload",
}
IDENTITY = ("event_id", "event_type", "correlation_id")


class Tried(msgspec.Struct, frozen=True):
    """What a form holds: the texts as written, the mapping if they make one, errors by field."""

    pattern: str
    texts: dict[str, str]
    mapping: Mapping | None
    errors: dict[str, str]

    @property
    def is_empty(self) -> bool:
        """Tell whether no field is filled in."""
        return not self.texts


def parse(values: Values[str, str], topic: str) -> Tried:
    """Return the form of a request. `use=field=path` fills a field in, as the candidates do."""
    texts = {
        field: text for field in FIELDS if (text := values.get(field, "").strip()[: MAX_PATH + 1])
    }
    field, _, path = values.get("use", "").partition("=")
    if field in FIELDS and path:
        texts[field] = path[:MAX_PATH]
    pattern = values.get("pattern", "").strip() or topic
    return check(pattern, texts, topic)


def check(pattern: str, texts: dict[str, str], topic: str) -> Tried:
    """Return the texts with the mapping that they make, or what is wrong with which field."""
    errors = {}
    for field, text in texts.items():
        error = _error_of(field, text)
        if error:
            errors[field] = error
    if len(pattern) > MAX_PATTERN:
        errors["pattern"] = f"longer than {MAX_PATTERN} characters"
    elif topic and not fnmatch.fnmatchcase(topic, pattern):
        errors["pattern"] = f"does not match {topic}"
    if texts and not any(field in texts for field in IDENTITY):
        errors["event_id"] = "fill in at least one of event id, type and correlation id"
    mapping = None if errors or not texts else Mapping(topic=pattern, **texts)
    return Tried(pattern, texts, mapping, errors)


def _error_of(field: str, text: str) -> str:
    if len(text) > MAX_PATH:
        return f"longer than {MAX_PATH} characters"
    if text.startswith("header:"):
        return "" if text.removeprefix("header:") else "the header's name is missing"
    try:
        Mapping(topic="*", **{field: text}).check()
    except BadMappingError:
        return "write a path such as $.meta.id or $.ids[0], or header:name"
    return ""
