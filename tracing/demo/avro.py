"""Notifications in Avro, in Confluent's frame: the one topic of the shop that is no JSON."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import fastavro
import msgspec

from tracing.schemas.current import current_registry
from tracing.schemas.registry import Draft

if TYPE_CHECKING:
    from tracing.demo.publishing import ShopEvent

TOPIC: Final = "notifications"
SUBJECT: Final = f"{TOPIC}-value"
_FILE: Final = Path(__file__).parent / "schemas" / f"{SUBJECT}.v1.avsc"


class Notifications:
    """Writes events by a registered schema, as Confluent's serializers do."""

    def __init__(self) -> None:
        """Register the schema, or find it registered. Raises EntryError or its like."""
        text = _FILE.read_text(encoding="utf-8")
        entry = current_registry().register(SUBJECT, Draft(text), by="shop")
        self._schema: Any = fastavro.parse_schema(json.loads(text))
        # Source: the wire format in the documentation of Confluent's registry.
        self._frame = b"\x00" + entry.id.to_bytes(4, "big")

    def encode(self, event: ShopEvent) -> bytes:
        """Return an event as it stands on the wire."""
        out = io.BytesIO()
        out.write(self._frame)
        fastavro.schemaless_writer(out, self._schema, msgspec.to_builtins(event))
        return out.getvalue()
