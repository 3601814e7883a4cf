"""The schemas that are known, in memory: decoding looks here and nowhere else."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from tracing.codec.formats.schema import Schema, SchemaRef
from tracing.models import Schema as SchemaRow

if TYPE_CHECKING:
    from collections.abc import Iterable

# While records name schemas that are not known, the table is looked at so often.
REST_S = 0.2
# So many are read at once, the newest ones; others when a record names them, so many in `REST_S`.
MAX_AT_ONCE = 1_000
MAX_SINGLY = 50
# Rows are asked for by when they were fetched; clocks of several machines differ.
_OVERLAP = dt.timedelta(minutes=10)
_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class KnownSchemas:
    """The schemas of one registry (empty: the built-in one). They never change: none goes stale."""

    def __init__(self, registry: str) -> None:
        """Begin empty; the table is read when the first schema is asked for."""
        self._registry = registry
        self._found: dict[str, Schema] = {}
        self._missed: set[str] = set()
        self._newest = _EVER
        self._looked = -REST_S

    def __call__(self, ref: SchemaRef) -> Schema | None:
        """Return a schema, None when it is not known yet.

        At most one query a schema in `REST_S`, and `MAX_SINGLY` in all.
        """
        schema = self._found.get(ref.text)
        if schema is None and time.monotonic() - self._looked >= REST_S:
            self.look()
            schema = self._found.get(ref.text)
        if schema is None and len(self._missed) < MAX_SINGLY and ref.text not in self._missed:
            self._missed.add(ref.text)
            self._take(SchemaRow.objects.filter(registry=self._registry, reference=ref.text))
            schema = self._found.get(ref.text)
        return schema

    def look(self) -> None:
        """Read what was fetched since the last look, the newest first. One query."""
        rows = SchemaRow.objects.filter(registry=self._registry, fetched_at__isnull=False)
        if self._newest > _EVER:
            rows = rows.filter(fetched_at__gte=self._newest - _OVERLAP)
        for row in self._take(rows.order_by("-fetched_at")[:MAX_AT_ONCE]):
            if row.fetched_at is not None:
                self._newest = max(self._newest, row.fetched_at)
        self._missed.clear()
        self._looked = time.monotonic()

    def _take(self, rows: Iterable[SchemaRow]) -> list[SchemaRow]:
        taken = [row for row in rows if row.type]
        for row in taken:
            if row.reference not in self._found:
                references = tuple((name, text) for name, text in row.references)
                self._found[row.reference] = Schema(row.type, row.text, references)
        return taken
