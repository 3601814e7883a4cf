"""Another registry's entries in our tables: pages are fast, and work while it is away.

Nothing tells us what changed there. So the list of subjects is asked for, then what is new, then
those that were looked at longest ago: all of them are looked at in turn, a bounded time a round.
"""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import transaction
from django.utils import timezone

from tracing.models import (
    CompatibilityLevel,
    RegistryHead,
    Subject,
    SubjectVersion,
    VersionReference,
)
from tracing.schemas import entries
from tracing.schemas.confluent import Confluent
from tracing.schemas.errors import BadAnswerError, BadSchemaError, EntryError, SubjectUnknownError
from tracing.schemas.parsing import fingerprint, parse_json
from tracing.schemas.registry import Entry, Level, check_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from tracing.schemas.http import Login

# So many new subjects are fetched by the page of so many versions.
MANY = 50
PAGE = 400
# Requests that run at once.
AT_ONCE = 8
# Subjects of one transaction.
BATCH = 80
ROUND_S = 5.0
# A subject is looked at again after this long, with so much of a round: it is a guest there.
AGAIN = dt.timedelta(seconds=60)
AGAIN_S = 2.0
MAX_SUBJECTS = 20_000
MAX_VERSIONS = 1_000


class Seen(msgspec.Struct, frozen=True):
    """What a subject is there: none of its versions is live when it is gone.

    `entries` are those versions of which we had nothing. Not `whole`: there may be more.
    """

    name: str
    versions: frozenset[int] = frozenset()
    entries: tuple[Entry, ...] = ()
    level: Level | None = None
    whole: bool = True


class Mirror:
    """Keeps the tables like one registry. Used by one thread."""

    def __init__(self, login: Login) -> None:
        """Ask nothing yet."""
        self._login = login
        self._registry = login.url
        self._page = PAGE
        self._offset = 0

    def round(self) -> bool:
        """Look at what is due, for some `ROUND_S`; return whether there is more that is new.

        Raises what a registry that is away raises; what was seen before that is stored.
        """
        until = time.monotonic() + ROUND_S
        with closing(Confluent(self._login)) as client:
            names = _usable(client.subjects())
            level = client.level()
        now = timezone.now()
        self._forget(set(names))
        entries.store_level(self._registry, "", level, now)
        if not self._take_many(names, until):
            return True
        due, new = self._due(names, now)
        begun = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for begin in range(0, len(due), BATCH):
                if time.monotonic() > (until if begin < new else begun + AGAIN_S):
                    return begin < new
                self._look(due[begin : begin + BATCH], threads)
        RegistryHead.objects.filter(registry=self._registry).update(mirrored_at=now, error="")
        return False

    def _take_many(self, names: Sequence[str], until: float) -> bool:
        """Fetch many new subjects by the page, where the registry can; return whether that is done.

        Each is looked at once more, like any other: pages say nothing of levels.
        """
        rows = Subject.objects.filter(registry=self._registry, name__in=names)
        new = set(names) - set(rows.values_list("name", flat=True))
        if self._page == 0 or (self._offset == 0 and len(new) < MANY):
            return True
        with closing(Confluent(self._login)) as client:
            while time.monotonic() < until:
                try:
                    page = client.listed(self._offset, self._page)
                except BadAnswerError:
                    # Too long, it may be; at the end they are asked for one by one.
                    self._page //= 2
                    return self._page == 0
                except EntryError:
                    self._page = 0
                    return True
                self._offset += len(page)
                self._store_page(page, set(names))
                if len(page) < self._page:
                    self._offset = 0
                    return True
        return False

    def _store_page(self, page: Sequence[Entry], names: set[str]) -> None:
        found: dict[str, list[Entry]] = {}
        for entry in page:
            if entry.subject in names:
                found.setdefault(entry.subject, []).append(entry)
        self._store([Seen(name, entries=tuple(one), whole=False) for name, one in found.items()])

    def refresh(self, name: str) -> None:
        """Look at one subject now: somebody changed it through us."""
        known = self._known([name])
        with closing(Confluent(self._login)) as client:
            self._store([_look(client, name, known.get(name, frozenset()))])

    def _due(self, names: Sequence[str], now: dt.datetime) -> tuple[list[str], int]:
        """Return new names, then those that were looked at longest ago; and how many are new."""
        rows = Subject.objects.filter(registry=self._registry)
        looked = dict(rows.values_list("name", "checked_at"))
        new = [name for name in names if looked.get(name) is None]
        then = {name: at for name in names if (at := looked.get(name)) and at < now - AGAIN}
        return [*new, *sorted(then, key=then.__getitem__)], len(new)

    def _known(self, names: Iterable[str]) -> dict[str, frozenset[int]]:
        """Return the live versions of subjects: what was deleted and came back is asked for anew.

        A registry that was emptied gives the same numbers to other schemas.
        """
        rows = self._rows(names).filter(deleted_at=None)
        found: dict[str, set[int]] = {}
        for name, version in rows.values_list("subject__name", "version"):
            found.setdefault(name, set()).add(version)
        return {name: frozenset(versions) for name, versions in found.items()}

    def _rows(self, names: Iterable[str]) -> QuerySet[SubjectVersion]:
        return SubjectVersion.objects.filter(
            subject__registry=self._registry, subject__name__in=list(names)
        )

    def _look(self, names: Sequence[str], threads: ThreadPoolExecutor) -> None:
        known = self._known(names)
        parts = [names[place::AT_ONCE] for place in range(AT_ONCE)]

        def ask(part: Sequence[str]) -> list[Seen]:
            with closing(Confluent(self._login)) as client:
                return [_look(client, name, known.get(name, frozenset())) for name in part]

        self._store([seen for part in threads.map(ask, parts) for seen in part])

    def _forget(self, names: set[str]) -> None:
        """Mark as deleted what is not there any more."""
        rows = Subject.objects.filter(registry=self._registry, latest__gt=0)
        gone = [name for name in rows.values_list("name", flat=True) if name not in names]
        for begin in range(0, len(gone), BATCH):
            self._store([Seen(name) for name in gone[begin : begin + BATCH]])

    def _store(self, seen: Sequence[Seen]) -> None:
        now = timezone.now()
        with transaction.atomic():
            entries.lock(self._registry)
            subjects = self._subjects([one.name for one in seen])
            fresh = [
                _Fresh.of(subjects[one.name], entry, now) for one in seen for entry in one.entries
            ]
            of_name = self._written(fresh) if fresh else {}
            live, levels = self._known(subjects), self._levels(subjects)
            quiet = []
            for one in seen:
                subject, new = subjects[one.name], of_name.get(one.name, [])
                as_it_was = (live.get(one.name, frozenset()), levels.get(one.name))
                if one.whole and not new and as_it_was == (one.versions, one.level):
                    quiet.append(subject.pk)
                else:
                    self._settle(subject, one, new, now)
            # Of most subjects there is nothing to say but that somebody looked.
            Subject.objects.filter(pk__in=quiet).update(checked_at=now)

    def _written(self, fresh: Sequence[_Fresh]) -> dict[str, list[tuple[SubjectVersion, Any]]]:
        """Store what is new, and what stands in the place of another schema; return it by name."""
        rows = self._rows({one.name for one in fresh}).values_list(
            "subject__name", "version", "id", "number"
        )
        there = {(name, version): (key, number) for name, version, key, number in rows}
        found: dict[str, list[tuple[SubjectVersion, Any]]] = {}
        made: list[SubjectVersion] = []
        for one in fresh:
            key, number = there.get((one.name, one.row.version), (None, None))
            if number == one.row.number:
                continue
            if key is None:
                made.append(one.row)
            else:
                one.row.pk = key
                one.row.save(force_update=True)
                VersionReference.objects.filter(user=one.row).delete()
            found.setdefault(one.name, []).append((one.row, one.value))
        SubjectVersion.objects.bulk_create(made)
        return found

    def _levels(self, names: Iterable[str]) -> dict[str, str]:
        rows = CompatibilityLevel.objects.filter(registry=self._registry, subject__in=list(names))
        return dict(rows.values_list("subject", "level"))

    def _settle(
        self,
        subject: Subject,
        seen: Seen,
        fresh: Sequence[tuple[SubjectVersion, Any]],
        now: dt.datetime,
    ) -> None:
        """Bring a subject's other rows up to what was seen."""
        if fresh:
            entries.index(subject, fresh)
        if seen.whole:
            rows = subject.versions.all()
            gone = rows.filter(deleted_at=None).exclude(version__in=seen.versions)
            gone.update(deleted_at=now)
            back = rows.exclude(deleted_at=None).filter(version__in=seen.versions)
            back.update(deleted_at=None, deleted_by="")
            entries.store_level(self._registry, seen.name, seen.level, now)
            subject.checked_at = now
        entries.summarize(subject)

    def _subjects(self, names: Sequence[str]) -> dict[str, Subject]:
        made = [Subject(registry=self._registry, name=name) for name in names]
        Subject.objects.bulk_create(made, ignore_conflicts=True)
        rows = Subject.objects.filter(registry=self._registry, name__in=names)
        return {row.name: row for row in rows}


class _Fresh(msgspec.Struct, frozen=True):
    """A version that is new to us: its row, not yet stored, and its schema's JSON or None."""

    name: str
    row: SubjectVersion
    value: Any

    @classmethod
    def of(cls, subject: Subject, entry: Entry, now: dt.datetime) -> _Fresh:
        try:
            value = parse_json(entry.text)
        except BadSchemaError:
            # Protobuf, or what the registry took and we would not: shown as it is.
            value = None
        same = fingerprint(entry.draft, entry.text if value is None else value)
        return cls(subject.name, entries.row_of(subject, entry, fingerprint=same, now=now), value)


def _look(client: Confluent, name: str, known: frozenset[int]) -> Seen:
    try:
        versions = client.versions(name)[-MAX_VERSIONS:]
        lacking = [version for version in versions if version not in known]
        found = tuple(client.by_version(name, version) for version in lacking)
        return Seen(name, frozenset(versions), found, client.level(name))
    except SubjectUnknownError:
        return Seen(name)


def _usable(names: Iterable[str]) -> list[str]:
    found = []
    for name in list(names)[:MAX_SUBJECTS]:
        try:
            check_subject(name)
        except EntryError:
            continue
        found.append(name)
    return found
