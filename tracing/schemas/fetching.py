"""A Confluent-compatible registry: a schema by its id, with everything that it builds on.

Sources: the REST interface of Confluent's schema registry (also served by Karapace, and by
Apicurio under `/apis/ccompat/v7`); for Apicurio's own ids its core interface, version 3.
"""

from __future__ import annotations

import time
from urllib.parse import quote, urlsplit

import msgspec

from tracing.codec.formats.schema import Schema, SchemaRef
from tracing.schemas.bodies import Body
from tracing.schemas.errors import BadAnswerError, SchemaUnknownError
from tracing.schemas.http import Answer, Login, get

# One schema with its references: so many requests, in so much time.
MAX_REFERENCES = 50
BUDGET_S = 5.0
_CORE = "/apis/registry/v3"
_APICURIO_PATHS = {"global": "ids/globalIds", "content": "ids/contentIds"}


_parse = msgspec.json.Decoder(Body).decode


class Fetcher:
    """Asks a registry for schemas. Keeps nothing: what was fetched goes into a table."""

    def __init__(self, login: Login) -> None:
        """Connect to nothing yet."""
        self._login = login

    def fetch(self, ref: SchemaRef) -> Schema:
        """Return a schema. Takes `BUDGET_S` at most.

        Raises RegistryUnavailableError, SchemaUnknownError or BadAnswerError.
        """
        deadline = time.monotonic() + BUDGET_S
        if ref.kind in _APICURIO_PATHS:
            return self._apicurio(ref, deadline)
        path = "schemas/ids" if ref.kind == "id" else "schemas/guids"
        answer = _read(get(self._login, f"/{path}/{quote(ref.value, safe='')}", deadline=deadline))
        found: dict[tuple[str, int], tuple[str, str]] = {}
        self._references(answer, found, deadline)
        return Schema(answer.draft.type, answer.schema, tuple(found.values()))

    def _references(
        self,
        answer: Body,
        found: dict[tuple[str, int], tuple[str, str]],
        deadline: float,
        open_: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        """Add what a schema builds on, each behind what it needs itself."""
        for reference in answer.references or ():
            place = (reference.subject, reference.version)
            if place in found:
                continue
            if place in open_ or len(found) + len(open_) >= MAX_REFERENCES:
                raise BadAnswerError("Its references lead in a circle, or are too many.")
            subject = quote(reference.subject, safe="")
            path = f"/subjects/{subject}/versions/{reference.version}"
            inner = _read(get(self._login, path, deadline=deadline))
            self._references(inner, found, deadline, open_ | {place})
            found[place] = (reference.name, inner.schema)

    def _apicurio(self, ref: SchemaRef, deadline: float) -> Schema:
        """Return a schema by Apicurio's own ids; without references, which it resolves itself."""
        parts = urlsplit(self._login.url)
        before, found, _ = parts.path.partition("/apis/")
        if not found:
            raise SchemaUnknownError("Its id is Apicurio's, and the registry is another one.")
        core = parts._replace(path=before + _CORE).geturl()
        login = msgspec.structs.replace(self._login, url=core)
        path = f"/{_APICURIO_PATHS[ref.kind]}/{quote(ref.value, safe='')}"
        answer = get(login, f"{path}?references=DEREFERENCE", deadline=deadline)
        kind = answer.headers.get("x-registry-artifacttype", "AVRO").upper()
        return Schema(kind, _text(answer))


def _read(answer: Answer) -> Body:
    try:
        return _parse(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswerError(f"{error}.") from None


def _text(answer: Answer) -> str:
    try:
        return answer.body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadAnswerError("It is not UTF-8.") from None
