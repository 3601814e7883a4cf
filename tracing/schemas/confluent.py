"""A registry that speaks Confluent's REST interface: Confluent's, Apicurio, Karapace, Redpanda.

Source: the reference of Confluent's Schema Registry API, version 1. Its address comes from the
settings; every answer is bounded, and becomes an entry or an error in our words.
"""

from __future__ import annotations

import time
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from tracing.domain.text import clean
from tracing.schemas import errors
from tracing.schemas.bodies import VersionBody, body_of
from tracing.schemas.errors import (
    BadAnswerError,
    BadSchemaError,
    EntryError,
    IncompatibleSchemaError,
    LevelUnsetError,
    RegistryUnavailableError,
    SubjectUnknownError,
)
from tracing.schemas.http import Connection, Login, check_status
from tracing.schemas.registry import (
    DEFAULT_LEVEL,
    Draft,
    Entry,
    Level,
    Registry,
    Verdict,
    check_subject,
)

# One call, however slowly the registry drips.
BUDGET_S = 10.0
_MAX_MESSAGE = 2_000
NO_REASON = "The registry says that it is incompatible, and not why."
_T = TypeVar("_T")


class _Place(msgspec.Struct):
    subject: str
    version: int


class _Id(msgspec.Struct):
    id: int


class _Verdict(msgspec.Struct):
    is_compatible: bool
    messages: list[str] | None = None


class _Level(msgspec.Struct, rename="camel"):
    compatibility_level: str = ""


class _Error(msgspec.Struct):
    error_code: int = 0
    message: str = ""


class Confluent(Registry):
    """Entries of another registry, asked for one by one. Used by one thread."""

    def __init__(self, login: Login) -> None:
        """Connect to nothing yet."""
        self._login = login
        self._connection = Connection(login)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def subjects(self, *, deleted: bool = False) -> list[str]:
        """Return their names. One request."""
        return sorted(self._get(f"/subjects{_deleted(deleted)}", list[str]))

    def listed(self, offset: int, limit: int) -> list[Entry]:
        """Return some of all live versions; EntryError where a registry cannot. One request."""
        found = self._get(f"/schemas?offset={offset}&limit={limit}", list[VersionBody])
        return [version.entry for version in found]

    def versions(self, subject: str, *, deleted: bool = False) -> list[int]:
        """Return a subject's versions. One request."""
        return sorted(self._get(f"{_of(subject)}/versions{_deleted(deleted)}", list[int]))

    def by_version(self, subject: str, version: int | None, *, deleted: bool = False) -> Entry:
        """Return one version. One request."""
        path = f"{_of(subject)}/versions/{version or 'latest'}{_deleted(deleted)}"
        return self._get(path, VersionBody).entry

    def by_id(self, number: int) -> Entry:
        """Return the schema of an id, without a subject. One request."""
        found = self._get(f"/schemas/ids/{number}", VersionBody)
        return msgspec.structs.replace(found, id=number).entry

    def places(self, number: int, *, deleted: bool = False) -> list[tuple[str, int]]:
        """Return where an id is registered. One request."""
        found = self._get(f"/schemas/ids/{number}/versions{_deleted(deleted)}", list[_Place])
        return sorted((place.subject, place.version) for place in found)

    def register(self, subject: str, draft: Draft, *, by: str) -> Entry:  # noqa: ARG002
        """Register a schema; who did it is not told to the registry. Two requests."""
        check_subject(subject)
        self._call("POST", f"{_of(subject)}/versions", _Id, body_of(draft))
        return self.look_up(subject, draft)

    def look_up(self, subject: str, draft: Draft, *, deleted: bool = False) -> Entry:
        """Return the version that says the same. One request."""
        path = f"{_of(subject)}{_deleted(deleted)}"
        found = self._call("POST", path, VersionBody, body_of(draft))
        # Some leave out what the caller knows.
        return msgspec.structs.replace(found, schema=found.schema or draft.text).entry

    def check(self, subject: str, draft: Draft, version: int | None) -> Verdict:
        """Let the registry judge a schema beside one version. One request."""
        path = f"/compatibility{_of(subject)}/versions/{version or 'latest'}?verbose=true"
        return self._judge(path, draft)

    def check_all(self, subject: str, draft: Draft) -> Verdict:
        """Let the registry judge a schema as it does when it is registered. One request."""
        try:
            return self._judge(f"/compatibility{_of(subject)}/versions?verbose=true", draft)
        except SubjectUnknownError:
            return Verdict(compatible=True)

    def level(self, subject: str = "") -> Level | None:
        """Return a level. One request."""
        path = f"/config/{quote(subject, safe='')}" if subject else "/config"
        try:
            said = self._get(path, _Level).compatibility_level
        except (LevelUnsetError, SubjectUnknownError):
            return None if subject else DEFAULT_LEVEL
        try:
            return Level(said.upper())
        except ValueError:
            raise BadAnswerError(f"Its level is {clean(said, 50)!r}.") from None

    def set_level(self, subject: str, level: Level, *, by: str) -> None:  # noqa: ARG002
        """Set a level. One request."""
        path = f"/config/{quote(subject, safe='')}" if subject else "/config"
        self._call("PUT", path, dict[str, Any], {"compatibility": level.value})

    def clear_level(self, subject: str, *, by: str) -> None:  # noqa: ARG002
        """Remove a level. One request."""
        path = f"/config/{quote(subject, safe='')}" if subject else "/config"
        self._call("DELETE", path, msgspec.Raw)

    def delete_version(
        self,
        subject: str,
        version: int | None,
        *,
        by: str,  # noqa: ARG002
        permanent: bool = False,
    ) -> int:
        """Delete one version. One request."""
        path = f"{_of(subject)}/versions/{version or 'latest'}{_permanent(permanent)}"
        return self._call("DELETE", path, int)

    def delete_subject(
        self,
        subject: str,
        *,
        by: str,  # noqa: ARG002
        permanent: bool = False,
    ) -> list[int]:
        """Delete every version. One request."""
        return self._call("DELETE", f"{_of(subject)}{_permanent(permanent)}", list[int])

    def referenced_by(self, subject: str, version: int | None) -> list[int]:
        """Return the ids of what builds on a version. One request."""
        return self._get(f"{_of(subject)}/versions/{version or 'latest'}/referencedby", list[int])

    def _judge(self, path: str, draft: Draft) -> Verdict:
        said = self._call("POST", path, _Verdict, body_of(draft))
        reasons = tuple(clean(message, _MAX_MESSAGE) for message in (said.messages or ())[:50])
        if not said.is_compatible and not reasons:
            reasons = (NO_REASON,)
        return Verdict(compatible=said.is_compatible, reasons=reasons)

    def _get(self, path: str, kind: type[_T]) -> _T:
        return self._call("GET", path, kind)

    def _call(self, method: str, path: str, kind: type[_T], body: Any = None) -> _T:
        """Return an answer of this form. Raises one of `schemas.errors`."""
        sent = None if body is None else msgspec.json.encode(body)
        deadline = time.monotonic() + BUDGET_S
        answer = self._connection.send(method, path, sent, deadline=deadline)
        if not 200 <= answer.status < 300:
            raise self._error(answer.status, answer.body)
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadAnswerError(f"{clean(str(error), 200)}.") from None

    def _error(self, status: int, body: bytes) -> Exception:
        try:
            said = msgspec.json.decode(body, type=_Error)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            said = _Error()
        message = clean(said.message, _MAX_MESSAGE)
        if status == 409 and said.error_code in {0, 409}:
            return IncompatibleSchemaError((message or "The registry does not say why.",))
        if said.error_code in _BY_CODE:
            return _BY_CODE[said.error_code](message)
        if status == 404:
            return errors.SchemaUnknownError(message)
        if status == 422:
            return BadSchemaError(message)
        if 400 <= status < 500:
            return EntryError(f"It answers {status}: {message}")
        try:
            check_status(self._login, status)
        except RegistryUnavailableError as error:
            return error
        return BadAnswerError(f"Its status is {status}.")


_BY_CODE: dict[int, type[EntryError]] = {
    kind.code: kind
    for kind in (
        errors.SubjectUnknownError,
        errors.VersionUnknownError,
        errors.SchemaUnknownError,
        errors.SubjectDeletedError,
        errors.SubjectNotDeletedError,
        errors.VersionDeletedError,
        errors.VersionNotDeletedError,
        errors.LevelUnsetError,
        errors.BadSchemaError,
        errors.BadVersionError,
        errors.BadLevelError,
        errors.ReferencedError,
        errors.BadSubjectError,
    )
}


def _of(subject: str) -> str:
    return f"/subjects/{quote(subject, safe='')}"


def _deleted(wanted: bool) -> str:  # noqa: FBT001 - the address's own words
    return "?deleted=true" if wanted else ""


def _permanent(wanted: bool) -> str:  # noqa: FBT001 - the address's own words
    return "?permanent=true" if wanted else ""
