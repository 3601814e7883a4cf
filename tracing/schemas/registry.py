"""What a schema registry is to us, wherever its entries are kept.

The words are Confluent's: a *subject* has *versions*; each is a *schema* with an id of its own,
which records carry. Two registries implement this: `built_in` and `confluent`.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tracing.schemas.errors import BadLevelError, BadSubjectError, BadVersionError

MAX_SUBJECT = 255
MAX_VERSION = 2**31 - 1
# An id has four bytes in a record's frame.
MAX_NUMBER = 2**31 - 1


class Level(enum.StrEnum):
    """Which versions a new one must agree with, and in which direction.

    BACKWARD: who reads with the new version understands what was written with the last one;
    FORWARD: who reads with the last one understands what is written with the new one; FULL: both.
    _TRANSITIVE: every version instead of the last one.
    """

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"

    @property
    def backward(self) -> bool:
        """Tell whether new readers must understand old data."""
        return self.value.startswith(("BACKWARD", "FULL"))

    @property
    def forward(self) -> bool:
        """Tell whether old readers must understand new data."""
        return self.value.startswith(("FORWARD", "FULL"))

    @property
    def transitive(self) -> bool:
        """Tell whether every version counts."""
        return self.value.endswith("_TRANSITIVE")


DEFAULT_LEVEL = Level.BACKWARD
# What a subject follows without a level of its own.
AS_REGISTRY = "as the registry"


class Reference(msgspec.Struct, frozen=True):
    """What a schema builds on: `name` as its text says it, and where that is registered."""

    name: str
    subject: str
    version: int


class Draft(msgspec.Struct, frozen=True):
    """A schema that is about to be registered, checked or looked for."""

    text: str
    type: str = "AVRO"
    references: tuple[Reference, ...] = ()


class Entry(msgspec.Struct, frozen=True):
    """A version of a subject; `id` is its schema's, which other subjects may share."""

    subject: str
    version: int
    id: int
    type: str
    text: str
    references: tuple[Reference, ...] = ()
    deleted: bool = False

    @property
    def draft(self) -> Draft:
        """Return what was registered."""
        return Draft(self.text, self.type, self.references)


class Verdict(msgspec.Struct, frozen=True):
    """Whether a schema may follow what is registered, and why not: one sentence a reason.

    `judged` is False where nobody here can tell, which the reasons then say; nothing is refused
    for that.
    """

    compatible: bool
    reasons: tuple[str, ...] = ()
    judged: bool = True


class Deed(msgspec.Struct, frozen=True):
    """A change of entries: by whom, what, of which subject and version (empty and 0: of all).

    `outcome` is small JSON. Where another registry decides, a deed is told twice: when it is asked
    for, and with what came of it.
    """

    by: str
    what: str
    subject: str = ""
    version: int = 0
    outcome: Mapping[str, Any] = {}


Telling = Callable[[Deed], None]


def tell_nobody(deed: Deed) -> None:
    """Let a change go by."""


def deletion(*, permanent: bool) -> str:
    """Return what a deletion is called among deeds."""
    return "schema deleted for good" if permanent else "schema deleted"


class Registry(ABC):
    """Subjects, versions and levels. Raises what `schemas.errors` names, and nothing else.

    A `version` of None is the latest one that is not deleted. `deleted` includes what was softly
    deleted; that is found by its id for ever, until it is deleted for good (`permanent`).
    """

    @abstractmethod
    def subjects(self, *, deleted: bool = False) -> list[str]:
        """Return the names of all subjects, sorted."""

    @abstractmethod
    def versions(self, subject: str, *, deleted: bool = False) -> list[int]:
        """Return a subject's versions, ascending. Raises SubjectUnknownError."""

    @abstractmethod
    def by_version(self, subject: str, version: int | None, *, deleted: bool = False) -> Entry:
        """Return one version. Raises SubjectUnknownError or VersionUnknownError."""

    @abstractmethod
    def by_id(self, number: int) -> Entry:
        """Return the schema of an id, as any of its versions. Raises SchemaUnknownError."""

    @abstractmethod
    def places(self, number: int, *, deleted: bool = False) -> list[tuple[str, int]]:
        """Return the subjects and versions of an id. Raises SchemaUnknownError."""

    @abstractmethod
    def register(self, subject: str, draft: Draft, *, by: str) -> Entry:
        """Return the version that a schema became; the one that it was before, if it is there.

        Raises BadSubjectError, BadSchemaError or IncompatibleSchemaError.
        """

    @abstractmethod
    def look_up(self, subject: str, draft: Draft, *, deleted: bool = False) -> Entry:
        """Return the version that says the same.

        Raises SubjectUnknownError, SchemaUnknownError or BadSchemaError.
        """

    @abstractmethod
    def check(self, subject: str, draft: Draft, version: int | None) -> Verdict:
        """Tell whether a schema may follow one version by the subject's level.

        Raises SubjectUnknownError, VersionUnknownError or BadSchemaError.
        """

    @abstractmethod
    def check_all(self, subject: str, draft: Draft) -> Verdict:
        """Tell whether `register` would take a schema; for a new subject too.

        Raises BadSchemaError.
        """

    @abstractmethod
    def level(self, subject: str = "") -> Level | None:
        """Return a subject's own level, None without one; of the registry for no subject."""

    @abstractmethod
    def set_level(self, subject: str, level: Level, *, by: str) -> None:
        """Set a subject's level; the registry's for no subject."""

    @abstractmethod
    def clear_level(self, subject: str, *, by: str) -> None:
        """Let a subject follow the registry; the registry its default. Raises LevelUnsetError."""

    @abstractmethod
    def delete_version(
        self, subject: str, version: int | None, *, by: str, permanent: bool = False
    ) -> int:
        """Delete one version, return its number. Permanent only after softly.

        Raises SubjectUnknownError, VersionUnknownError, VersionDeletedError,
        VersionNotDeletedError or ReferencedError.
        """

    @abstractmethod
    def delete_subject(self, subject: str, *, by: str, permanent: bool = False) -> list[int]:
        """Delete every version, return their numbers. Permanent only after softly.

        Raises SubjectUnknownError, SubjectDeletedError, SubjectNotDeletedError or ReferencedError.
        """

    @abstractmethod
    def referenced_by(self, subject: str, version: int | None) -> list[int]:
        """Return the ids of the schemas that build on a version.

        Raises SubjectUnknownError or VersionUnknownError.
        """


def read_version(text: str) -> int | None:
    """Return the version of an address. Raises BadVersionError."""
    if text in {"latest", "-1"}:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= MAX_VERSION:
        return int(text)
    raise BadVersionError(f"This is {text[:50]!r}.")


def read_level(text: str) -> Level:
    """Return the level of this name. Raises BadLevelError."""
    try:
        return Level(text.upper())
    except ValueError:
        raise BadLevelError(f"This is {text[:50]!r}.") from None


def check_subject(name: str) -> None:
    """Raise BadSubjectError unless a subject may have this name."""
    if not name.strip() or len(name) > MAX_SUBJECT or not name.isprintable():
        raise BadSubjectError(f"This is {name[:50]!r}.")
