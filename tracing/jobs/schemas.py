"""Fetch the schemas that records wait for, then decode those records late.

While the registry is away, what the mirror holds of it is taken instead.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef
from django.utils import timezone

from tracing.codec.formats.schema import Schema as KnownSchema
from tracing.codec.formats.schema import SchemaRef
from tracing.domain.errors import EventvizError
from tracing.domain.text import clean
from tracing.jobs.step import Step
from tracing.models import AwaitingRecord, Schema
from tracing.projections import late
from tracing.projections.names import names
from tracing.schemas import stored
from tracing.schemas.errors import BadSchemaError, RegistryUnavailableError
from tracing.schemas.references import candidate
from tracing.schemas.registry import MAX_NUMBER

if TYPE_CHECKING:
    from tracing.schemas.fetching import Fetcher

log = logging.getLogger(__name__)

# Waits of one id: growing, so that one that nobody knows costs next to nothing.
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0
# A registry that is away is looked for more often: once it is back, all ids come at once.
LONGEST_AWAY_S = 15.0
MAX_REFERENCES = 200
# So many records a transaction: it holds the log's head, and ingestion waits meanwhile.
BATCH = 500
MAX_ERROR = 500


class FetchSchemas(Step):
    """Asks the registry for one schema a run, of those that records wait for."""

    name = "fetch schemas"
    every_s = 0.5

    def __init__(self, registry: Fetcher, url: str) -> None:
        """Ask nothing yet; `url` names the registry in the table."""
        self._registry = registry
        self._url = url
        self._away = False
        self._after = ""

    def wanted(self) -> bool:
        """Tell whether any record waits: one look at an index."""
        return AwaitingRecord.objects.exists()

    def run(self) -> bool:
        """Fetch the schema that is due longest; return whether another one may be."""
        # Another part each time: many that nobody knows must not hide one that is known.
        wanted = late.references(MAX_REFERENCES, self._after)
        self._after = wanted[-1] if len(wanted) == MAX_REFERENCES else ""
        known = Schema.objects.filter(registry=self._url, reference__in=wanted)
        rows = {row.reference: row for row in known}
        now = timezone.now()
        due = [
            rows.get(reference) or Schema(registry=self._url, reference=reference)
            for reference in wanted
        ]
        due = [row for row in due if not row.type and (row.next_at is None or row.next_at <= now)]
        if not due:
            return bool(self._after)
        due.sort(key=lambda row: row.next_at or dt.datetime.min.replace(tzinfo=dt.UTC))
        there = self._fetch(due[0])
        if not there:
            self._take_mirrored(due)
        return there and len(due) > 1

    def _fetch(self, row: Schema) -> bool:
        """Ask for one schema and store what came of it; return whether the registry is there."""
        kind, _, value = row.reference.partition(":")
        try:
            schema = self._registry.fetch(SchemaRef(kind, value))  # type: ignore[arg-type]
        except EventvizError as error:
            away = isinstance(error, RegistryUnavailableError)
            self._wait(row, str(error), LONGEST_AWAY_S if away else LONGEST_WAIT_S)
            if away and not self._away:
                log.warning("%s Schemas are fetched when it is back.", error)
            self._away = away
            return not away
        _keep(row, schema)
        self._away = False
        return True

    def _take_mirrored(self, rows: list[Schema]) -> None:
        """Take from the mirror what it holds of these schemas: the registry is away."""
        numbers = {label: row for row in rows if (label := _number(row.reference)) is not None}
        held = stored.of_ids(self._url, numbers)
        for number, version in held.items():
            try:
                one = candidate(version, whole=True)
            except BadSchemaError:
                continue
            _keep(numbers[number], KnownSchema(one.type, one.text, one.built_on))

    def _wait(self, row: Schema, error: str, longest_s: float) -> None:
        wait_s = min(FIRST_WAIT_S * 2 ** min(row.tries, 20), longest_s)
        row.tries += 1
        row.error = clean(error, MAX_ERROR)
        row.next_at = timezone.now() + dt.timedelta(seconds=wait_s)
        row.save()


def _keep(row: Schema, schema: KnownSchema) -> None:
    row.type, row.text = schema.type[:20], schema.text.replace("\x00", "")
    row.references = [list(reference) for reference in schema.references]
    row.error, row.next_at, row.fetched_at = "", None, timezone.now()
    row.save()


def _number(reference: str) -> int | None:
    """Return the id that Confluent's interface knows, None for other names of a schema."""
    kind, _, value = reference.partition(":")
    is_id = kind == "id" and value.isascii() and value.isdigit() and len(value) <= 10
    return int(value) if is_id and int(value) <= MAX_NUMBER else None


class DecodeLate(Step):
    """Decodes records whose schema is known by now, a small batch a run."""

    name = "decode late"
    every_s = 0.25

    def __init__(self, url: str) -> None:
        """Take the registry's address, which names it in the table."""
        self._url = url

    def wanted(self) -> bool:
        """Tell whether any record waits: one look at an index."""
        return AwaitingRecord.objects.exists()

    def run(self) -> bool:
        """Decode some; return whether more are there."""
        waiting = Exists(AwaitingRecord.objects.filter(reference=OuterRef("reference")))
        known = Schema.objects.filter(waiting, registry=self._url).exclude(type="")
        reference = known.values_list("reference", flat=True).first()
        if reference is None:
            return False
        return late.decode_late(late.waiting_for(reference, BATCH), names()) > 0
