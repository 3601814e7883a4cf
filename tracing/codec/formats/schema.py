"""Schemas as the codec knows them, and the references by which records name them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from tracing.domain.errors import DecodeError


class SchemaRef(msgspec.Struct, frozen=True):
    """What a record says of its schema.

    `id` is Confluent's number, `guid` its newer GUID; `global` and `content` are Apicurio's.
    """

    kind: Literal["id", "guid", "global", "content"]
    value: str

    @property
    def text(self) -> str:
        """Return the form in which tables hold it: `id:42`."""
        return f"{self.kind}:{self.value}"

    @property
    def label(self) -> str:
        """Return what people read: the id, with its kind where it is not the usual one."""
        return self.value if self.kind in {"id", "guid"} else f"{self.value} ({self.kind} id)"


class Schema(msgspec.Struct, frozen=True):
    """A schema: AVRO, JSON or another type, its text, and (name, text) of what it builds on.

    The references stand in such an order that each comes behind those that it needs itself.
    """

    type: str
    text: str
    references: tuple[tuple[str, str], ...] = ()


# None: not known yet. Must not wait for a network.
SchemaOf = Callable[[SchemaRef], Schema | None]


class SchemaNotKnownError(DecodeError):
    """The schema of a record is not known yet."""

    def __init__(self, ref: SchemaRef) -> None:
        """Keep what was asked for."""
        super().__init__(
            f"Schema {ref.label} is not known yet; it is decoded as soon as the registry answers."
        )
        self.ref = ref
