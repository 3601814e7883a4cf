"""What goes wrong with a registry, in our words.

`code` is the number by which Confluent's REST interface names a failure, where it has one.
Source: its reference, and the clients that tell failures apart by it.
"""

from __future__ import annotations

from tracing.domain.errors import EventvizError

VALID_LEVELS = (
    "NONE, BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE"
)


class RegistryUnavailableError(EventvizError):
    """The schema registry does not answer."""


class RegistryRefusedError(RegistryUnavailableError):
    """The schema registry does not let us in."""


class BadAnswerError(EventvizError):
    """The schema registry answered something that is no schema."""


class BadRegistryError(EventvizError):
    """EVENTVIZ_SCHEMA_REGISTRY_URL is no address: write http(s)://host:port/path."""


class EntryError(EventvizError):
    """The schema registry refuses this."""

    code = 42200


class SchemaUnknownError(EntryError):
    """The schema registry does not know this schema."""

    code = 40403


class SubjectUnknownError(EntryError):
    """There is no such subject."""

    code = 40401


class VersionUnknownError(EntryError):
    """The subject has no such version."""

    code = 40402


class SubjectDeletedError(EntryError):
    """The subject is deleted already; only deleting it for good is left."""

    code = 40404


class SubjectNotDeletedError(EntryError):
    """The subject must be deleted before it can be deleted for good."""

    code = 40405


class VersionDeletedError(EntryError):
    """The version is deleted already; only deleting it for good is left."""

    code = 40406


class VersionNotDeletedError(EntryError):
    """The version must be deleted before it can be deleted for good."""

    code = 40407


class LevelUnsetError(EntryError):
    """The subject has no compatibility level of its own."""

    code = 40408


class IncompatibleSchemaError(EntryError):
    """The schema is incompatible with what is registered."""

    code = 409

    def __init__(self, reasons: tuple[str, ...]) -> None:
        """Keep what is wrong: one sentence each."""
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class BadSchemaError(EntryError):
    """The schema cannot be used."""

    code = 42201

    def __init__(self, detail: str, *, line: int = 0, column: int = 0) -> None:
        """Keep where it is wrong, from 1; 0 where no place can be named."""
        super().__init__(detail)
        self.detail = detail
        self.line = line
        self.column = column


class BadVersionError(EntryError):
    """A version is a number from 1 to 2147483647, or "latest"."""

    code = 42202


class BadLevelError(EntryError):
    __doc__ = f"A compatibility level is one of {VALID_LEVELS}."

    code = 42203


class ReferencedError(EntryError):
    """Other schemas build on this version: delete those first."""

    code = 42206


class BadSubjectError(EntryError):
    """A subject's name has 1 to 255 characters, none of them invisible."""

    code = 42208
