"""Make the read models again from the log, while ingestion goes on.

The next tables are filled in short transactions beside those that pages read. Records of a
partition are committed in the order of their offsets, so one cursor a partition is enough to find
what came meanwhile. When less than a batch is left, the lock on `log_head` is taken: the rest is
read, the tables are exchanged, and the generation changes, so that open pages send their state
again. An event keeps its position: tails go on in the order of arrival.

Whatever breaks off in the middle has changed nothing; the next rebuild begins anew.
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from tracing.domain.errors import EventvizError
from tracing.models import LogHead, Partition, RebuildRun
from tracing.models.source import record_id
from tracing.projections import event_index, events, late, record_log, record_rows, tables
from tracing.projections.batch import batch_of
from tracing.projections.catalogue import Catalogue
from tracing.projections.configured import forget_configured
from tracing.projections.decisions import forget_mappings
from tracing.projections.rows import Prepared, prepare
from tracing.projections.saga_decisions import Sagas, applied_sagas, forget_sagas
from tracing.projections.settings import current_rules, look_for_schemas
from tracing.projections.size import record_count
from tracing.projections.store import project, take_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import QuerySet

    from tracing.codec.rules import Mapping

    Progress = Callable[[int, int], None]

# So many records a transaction: about a tenth of a second, in which SQLite's ingestor waits.
CHUNK = 1_000
# While it does not catch up with what comes in, its transactions grow and ingestion waits longer.
LARGEST_CHUNK = 16_000
# So often it lets ingestion go on when readers hold the old tables at the end.
TRIES = 60
# One that has told nothing for so long has broken off.
DEAD_AFTER = dt.timedelta(seconds=60)
BROKE_OFF = "It broke off in the middle; what was there before stands."


class RebuildRunningError(EventvizError):
    """A rebuild is running; wait until it has ended."""


class RebuildBrokenOffError(EventvizError):
    """This rebuild stood still for so long that another one may have begun. Nothing has changed."""


def running() -> QuerySet[RebuildRun]:
    """Return the rebuild that is going on, if any: at most one."""
    return RebuildRun.objects.filter(finished_at=None, beat_at__gt=timezone.now() - DEAD_AFTER)


def _tell_nobody(_done: int, _total: int) -> None:
    """Tell nobody: the log is locked, and there is no time for it."""


def rebuild(progress: Progress = _tell_nobody, run: RebuildRun | None = None) -> int:
    """Derive the read models again from every record; return how many records there were.

    `progress` is told after each chunk, outside its transaction, how many records are done of how
    many; `run` is the row that says the same to pages (a new one by default). Needs the room of
    a second set of read models meanwhile. Raises RebuildRunningError when one is going on.
    """
    run = run or RebuildRun(asked_at=timezone.now())
    _begin(run)
    try:
        while not (making := _Making(run, progress)).ended():
            # Somebody changed the rules meanwhile: what was made is by two kinds of them.
            tables.make_next()
    except BaseException as error:
        _end_badly(run, error)
        raise
    tables.drop_next()
    return making.done


def _begin(run: RebuildRun) -> None:
    """Claim the next tables and make them. `started_at` tells this attempt from every other."""
    total = record_count()
    with transaction.atomic():
        # Whoever else begins, prunes or writes is behind this lock or has ended.
        take_positions(0)
        if running().exists():
            raise RebuildRunningError
        now = timezone.now()
        dead = RebuildRun.objects.filter(finished_at=None).exclude(started_at=None)
        dead.exclude(id=run.pk).update(finished_at=now, error=BROKE_OFF)
        run.started_at = run.beat_at = now
        run.done, run.total, run.error = 0, total, ""
        run.save()
        tables.make_next()


def _end_badly(run: RebuildRun, error: BaseException) -> None:
    """Say in the row why it ended; the database may be what is away."""
    if isinstance(error, RebuildBrokenOffError):
        return
    words = str(error) if isinstance(error, EventvizError) else BROKE_OFF
    try:
        mine = RebuildRun.objects.filter(id=run.pk, started_at=run.started_at, finished_at=None)
        if mine.update(finished_at=timezone.now(), error=words):
            tables.drop_next()
    except DatabaseError:
        connection.close()


class _Making:
    """One filling of the next tables, by the rules that hold when it begins."""

    def __init__(self, run: RebuildRun, progress: Progress) -> None:
        self.done = 0
        self._run = run
        self._progress = progress
        self._catalogue = Catalogue()
        self._rules = _rules_now()
        # The id of the last record that was done, by partition.
        self._cursors: dict[int, int] = {}

    def ended(self) -> bool:
        """Fill and exchange the tables; False, with nothing exchanged, when the rules changed.

        Raises TablesInUseError when readers do not let go of the old ones for minutes.
        """
        look_for_schemas()
        for tries_left in reversed(range(TRIES)):
            size = CHUNK
            while self._pass(size, self._progress) > CHUNK:
                size = min(size * 2, LARGEST_CHUNK)
            tables.refresh_statistics()
            reached = dict(self._cursors), self.done
            try:
                return self._exchanged()
            except tables.TablesInUseError:
                if not tries_left:
                    raise
                self._cursors, self.done = reached
        return False

    def _exchanged(self) -> bool:
        """Read the rest and exchange the tables while nobody writes."""
        with transaction.atomic():
            take_positions(0)
            self._pass(LARGEST_CHUNK, _tell_nobody)
            self._decode_late()
            if _rules_now() != self._rules:
                return False
            tables.exchange()
            LogHead.objects.filter(id=1).update(generation=F("generation") + 1)
            self._beat(finished_at=timezone.now())
        return True

    def _pass(self, size: int, tell: Progress) -> int:
        """Bring every partition to its checkpoint of this moment; return how many records."""
        before = self.done
        rows = Partition.objects.exclude(next_offset=None).order_by("id")
        for partition_id, next_offset in rows.values_list("id", "next_offset"):
            last = record_id(partition_id, next_offset or 0) - 1
            while (
                cursor := self._cursors.get(partition_id, record_id(partition_id, 0) - 1)
            ) < last:
                chunk = record_log.between(cursor + 1, last, size)
                if chunk:
                    self._add(chunk)
                    tell(self.done, self._run.total)
                self._cursors[partition_id] = chunk[-1].id if len(chunk) == size else last
        return self.done - before

    def _add(self, chunk: Sequence[record_rows.Row]) -> None:
        """Write the read models of some records of one partition. One short transaction."""
        prepared = prepare(record_log.pairs(chunk, self._catalogue), self._catalogue)
        batch = batch_of(prepared)
        known = events.positions_between(chunk[0].id, chunk[-1].id)
        with transaction.atomic():
            missing = sum(_place(item) not in known for item in prepared)
            fresh = itertools.count(take_positions(missing) - missing + 1 if missing else 0)
            positions = [known.get(_place(item)) or next(fresh) for item in prepared]
            joined = self.done // event_index.JOINED_AT
            self.done += len(chunk)
            self._beat()
            with tables.next_ones():
                project(batch, positions, self._catalogue)
                if self.done // event_index.JOINED_AT != joined:
                    event_index.join()

    def _decode_late(self) -> None:
        """Decode those that wait in the next tables alone: their schema came meanwhile."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT record FROM tracing_awaitingrecord_next EXCEPT"
                " SELECT record FROM tracing_awaitingrecord"
            )
            records = [row[0] for row in cursor.fetchall()]
        if records:
            with tables.next_ones():
                late.decode_late(records, self._catalogue)

    def _beat(self, finished_at: dt.datetime | None = None) -> None:
        """Say that we are alive and how far. Raises RebuildBrokenOffError when we were given up."""
        mine = RebuildRun.objects.filter(
            id=self._run.pk, started_at=self._run.started_at, finished_at=None
        )
        if not mine.update(done=self.done, beat_at=timezone.now(), finished_at=finished_at):
            raise RebuildBrokenOffError


def _rules_now() -> tuple[tuple[Mapping, ...], tuple[str, ...], Sagas]:
    """Return what decides how records are read, as it is at this moment."""
    forget_mappings()
    forget_configured()
    forget_sagas()
    rules = current_rules()
    return rules.mappings, rules.key_fields, applied_sagas()


def _place(item: Prepared) -> tuple[int, int]:
    return (item.fact.record, item.event.part)
