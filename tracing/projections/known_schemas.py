"""The schemas that are known, in memory: decoding looks here and nowhere else."""

from __future__ import annotations

import datetime as dt
import time

from tracing.codec.formats.schema import Schema, SchemaRef
from tracing.models import Schema as SchemaRow

# While records name schemas that are not known, the table is looked at so often.
REST_S = 0.2
# Rows are asked for by when they were fetched; clocks of several machines differ.
_OVERLAP = dt.timedelta(minutes=10)
_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class KnownSchemas:
    """What was fetched from one registry. Schemas never change, so nothing goes stale."""

    def __init__(self, registry: str) -> None:
        """Begin empty; the table is read when the first schema is asked for."""
        self._registry = registry
        self._found: dict[str, Schema] = {}
        self._newest = _EVER
        self._looked = -REST_S

    def __call__(self, ref: SchemaRef) -> Schema | None:
        """Return a schema, None when it is not known yet. At most one query in `REST_S`."""
        schema = self._found.get(ref.text)
        if schema is None and time.monotonic() - self._looked >= REST_S:
            self.look()
            schema = self._found.get(ref.text)
        return schema

    def look(self) -> None:
        """Read what was fetched since the last look. One query."""
        rows = SchemaRow.objects.filter(registry=self._registry).exclude(type="")
        if self._newest > _EVER:
            rows = rows.filter(fetched_at__gte=self._newest - _OVERLAP)
        for row in rows:
            if row.reference not in self._found:
                references = tuple((name, text) for name, text in row.references)
                self._found[row.reference] = Schema(row.type, row.text, references)
            if row.fetched_at is not None:
                self._newest = max(self._newest, row.fetched_at)
        self._looked = time.monotonic()
