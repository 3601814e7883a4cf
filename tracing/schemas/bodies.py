"""The JSON of Confluent's REST interface: what we send to such a registry, and answer as one.

Source: the reference of Confluent's Schema Registry API, version 1.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from tracing.schemas.registry import MAX_NUMBER, MAX_VERSION, Draft, Entry, Reference

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
AVRO = "AVRO"


class Body(msgspec.Struct, rename={"type": "schemaType"}):
    """A schema. Other fields (metadata, rules) are not kept here."""

    schema: str
    type: str | None = None
    references: list[Reference] | None = None

    @property
    def draft(self) -> Draft:
        """Return it as a registry takes it."""
        return Draft(self.schema, (self.type or AVRO).upper(), tuple(self.references or ()))


class VersionBody(Body, rename={"type": "schemaType"}):
    """A version of a subject; some registries leave out what the caller knows."""

    id: Annotated[int, msgspec.Meta(ge=0, le=MAX_NUMBER)] = 0
    version: Annotated[int, msgspec.Meta(ge=0, le=MAX_VERSION)] = 0
    subject: str = ""

    @property
    def entry(self) -> Entry:
        """Return it as our registries do."""
        return entry_of(self.subject, self.version, self.id, self.draft)


def entry_of(subject: str, version: int, number: int, draft: Draft) -> Entry:
    """Return a version of a subject with what was registered."""
    return Entry(subject, version, number, draft.type, draft.text, draft.references)


def body_of(draft: Draft) -> dict[str, Any]:
    """Return a schema as JSON: Avro's type and missing references are left out."""
    said: dict[str, Any] = {"schema": draft.text}
    if draft.type != AVRO:
        said["schemaType"] = draft.type
    if draft.references:
        said["references"] = [msgspec.to_builtins(one) for one in draft.references]
    return said


def version_body(entry: Entry) -> dict[str, Any]:
    """Return a version as JSON."""
    place = {"subject": entry.subject, "version": entry.version, "id": entry.id}
    return {**place, **body_of(entry.draft)}
