"""What somebody waits for, and whether an event is it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from tracing.codec import fields
from tracing.codec.keys import MAX_BYTES
from tracing.web.api import parameters
from tracing.web.api.parameters import BadParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

Status = Literal["matched", "failed"]

MAX_TYPES: Final = 20
MAX_MATCHES: Final = 5
MAX_QUERY: Final = 8_000
# Of one payload; those behind it are not compared.
MAX_FIELDS: Final = 200
DEFAULT_TIMEOUT_MS: Final = 5_000
MAX_TIMEOUT_MS: Final = 60_000
# What is known of every event, beside its payload's fields.
ENVELOPE: Final = ("key", "correlation_id", "event_id")
_KNOWN: Final = ("type", "fail", "match", "timeout_ms", "after")

_parse = msgspec.json.Decoder(dict[str, object]).decode


class Match(NamedTuple):
    """A field and the value that it has to have."""

    field: str
    value: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Any of these types, with all of the matches, behind a position of the log."""

    types: frozenset[str]
    fails: frozenset[str]
    matches: tuple[Match, ...] = ()
    after: int = 0

    def status(self, event_type: str) -> Status:
        """Return what an event of this type means."""
        return "matched" if event_type in self.types else "failed"

    @property
    def all_types(self) -> frozenset[str]:
        """Return the types that end the waiting."""
        return self.types | self.fails


class Content(msgspec.Struct, frozen=True):
    """An event's fields by name, each with its values as text, and its record key."""

    values: dict[str, set[str]]
    key: str | None

    def fits(self, matches: tuple[Match, ...]) -> bool:
        """Tell whether all matches hold: in the payload, else by the record key."""
        return all(
            match.value in found
            if (found := self.values.get(match.field)) is not None
            else match.value == self.key
            for match in matches
        )

    def texts(self) -> set[str]:
        """Return every value."""
        found = set().union(*self.values.values())
        return found | {self.key} if self.key is not None else found


def content(key: str | None, correlation_id: str, event_id: str, payload: bytes | None) -> Content:
    """Return what an event is compared by.

    Of a JSON payload the fields of it and of the objects in it, as the search does, bounded in
    number and size.
    """
    values: dict[str, set[str]] = {"correlation_id": {correlation_id}, "event_id": {event_id}}
    if key is not None:
        values["key"] = {key}
    for name, text in _scalars(payload):
        values.setdefault(name, set()).add(text)
    return Content(values, key)


def _scalars(payload: bytes | None) -> Iterator[tuple[str, str]]:
    if not payload or len(payload) > MAX_BYTES:
        return
    try:
        body = _parse(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    inner = [value for value in body.values() if isinstance(value, dict)]
    left = MAX_FIELDS
    for level in (body, *inner):
        for name, value in level.items():
            text = fields.identifier(value)
            if text is not None and isinstance(name, str):
                yield name, text
            left -= 1
            if not left:
                return


class Asked(msgspec.Struct, frozen=True):
    """A checked question."""

    wanted: Wanted
    timeout_s: float


def asked(query: bytes) -> Asked:
    """Return what a query string asks for. Raises BadParameterError."""
    if len(query) > MAX_QUERY:
        raise BadParameterError("query", f"at most {MAX_QUERY} bytes.")
    pairs = parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True)
    parameters.check_known(dict(pairs), _KNOWN)
    given = dict(pairs)
    types, fails = (_listed(pairs, name) for name in ("type", "fail"))
    if not types and not fails:
        raise BadParameterError("type", "name the type of an event to wait for.")
    if len(types) + len(fails) > MAX_TYPES:
        raise BadParameterError("type", f"at most {MAX_TYPES} types together with fail.")
    timeout_ms = parameters.whole(given, "timeout_ms")
    if timeout_ms is None:
        timeout_ms = DEFAULT_TIMEOUT_MS
    if timeout_ms > MAX_TIMEOUT_MS:
        raise BadParameterError("timeout_ms", f"0 to {MAX_TIMEOUT_MS}.")
    wanted = Wanted(
        types=frozenset(types),
        fails=frozenset(fails),
        matches=_matches(pairs),
        after=parameters.whole(given, "after") or 0,
    )
    return Asked(wanted, timeout_ms / 1_000)


def _listed(pairs: list[tuple[str, str]], name: str) -> list[str]:
    """Return a parameter that may be repeated, or hold several values with commas."""
    texts = [parameters.text({name: text}, name) for given, text in pairs if given == name]
    return [part for text in texts for part in text.split(",") if part]


def _matches(pairs: list[tuple[str, str]]) -> tuple[Match, ...]:
    found = []
    for given, raw in pairs:
        if given != "match":
            continue
        field, colon, value = parameters.text({"match": raw}, "match").partition(":")
        if not (field and colon and value):
            raise BadParameterError("match", "a field and its value, such as orderId:ORD-1.")
        found.append(Match(field, value))
    if len(found) > MAX_MATCHES:
        raise BadParameterError("match", f"at most {MAX_MATCHES}.")
    return tuple(found)
