"""Versioned settings of the codec: what a rebuild must be given to repeat itself."""

from __future__ import annotations

import fnmatch
import functools
import re

import msgspec

from tracing.codec.formats.schema import SchemaOf
from tracing.domain.errors import EventvizError
from tracing.domain.topology import NO_ROLES, TopicRoles

# Payload fields that look like identifiers: `orderId`, `customer_id`, `id`, `trackingNumber`.
DEFAULT_KEY_FIELDS = ("id", "*Id", "*ID", "*_id", "*-id", "*Number", "*_number", "*Key", "*_key")

# How many field names are remembered, and how long ones.
MAX_NAMES, MAX_NAME = 5_000, 100

FIELDS = (
    "event_id",
    "event_type",
    "schema_version",
    "source",
    "correlation_id",
    "causation_id",
    "occurred",
    "payload",
)
_PATH = re.compile(r"^\$(\.[^.\[\]]{1,100}|\[\d{1,4}\]){1,10}$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


class BadMappingError(EventvizError):
    """A mapping names a topic pattern and, for each field, `$.json.path` or `header:name`."""


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the records of some topics carry the fields of an envelope.

    `topic` is a shell pattern. Each field is a JSON path of names and indexes (`$.meta.id`,
    `$.ids[0]`) or `header:` and a header's name; None where it is not carried.
    """

    topic: str
    event_id: str | None = None
    event_type: str | None = None
    schema_version: str | None = None
    source: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    occurred: str | None = None
    payload: str | None = None

    def check(self) -> None:
        """Raise BadMappingError, naming the field, when a path cannot be followed."""
        if not self.topic:
            raise BadMappingError("`topic` is empty.")
        for field in FIELDS:
            path = getattr(self, field)
            if path is not None and not (_PATH.match(path) or path.startswith("header:")):
                raise BadMappingError(f"`{field}` is {path!r}.")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Everything beside the record that decides what is read from it.

    `schema_of` gives the schemas that are known; it is None where no registry is set. `topics`
    names those of dead letters and retries beside what their names tell.
    """

    mappings: tuple[Mapping, ...] = ()
    key_fields: tuple[str, ...] = DEFAULT_KEY_FIELDS
    schema_of: SchemaOf | None = None
    topics: TopicRoles = NO_ROLES

    def mapping_of(self, topic: str) -> Mapping | None:
        """Return the first mapping whose pattern matches the topic."""
        for mapping in self.mappings:
            if fnmatch.fnmatchcase(topic, mapping.topic):
                return mapping
        return None


def parse_mappings(raw: bytes) -> tuple[Mapping, ...]:
    """Return mappings from a JSON list. Raises BadMappingError."""
    try:
        found = msgspec.json.decode(raw, type=tuple[Mapping, ...])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadMappingError(f"{error}.") from error
    for mapping in found:
        mapping.check()
    return found


@functools.lru_cache(maxsize=1_000)
def steps(path: str) -> tuple[str | int, ...]:
    """Return the names and indexes of a JSON path."""
    return tuple(name or int(index) for name, index in _STEP.findall(path))


class KeyFields(dict[str, bool]):
    """Tells of a payload field's name whether it is searched for, and remembers a bounded number.

    A dictionary, because it is asked for every field of every record.
    """

    def __init__(self, patterns: tuple[str, ...]) -> None:
        """Take shell patterns."""
        super().__init__()
        self._patterns = patterns

    def __missing__(self, name: str) -> bool:
        """Compare a name that is not remembered."""
        found = any(fnmatch.fnmatchcase(name, pattern) for pattern in self._patterns)
        if len(self) < MAX_NAMES and len(name) <= MAX_NAME:
            self[name] = found
        return found


@functools.lru_cache(maxsize=8)
def key_fields(patterns: tuple[str, ...]) -> KeyFields:
    """Return what tells the fields that match these patterns."""
    return KeyFields(patterns)
