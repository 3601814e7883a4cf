"""The built-in registry: entries in our own tables, when no other registry is set.

Ids, versions and deletions follow Confluent's registry: one id for the same schema in every
subject, versions that are never given twice while one is there, deletion in two steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.db import transaction
from django.utils import timezone

from tracing.models import CompatibilityLevel, RegistryHead, Schema, Subject, SubjectVersion
from tracing.schemas import compatibility, entries, stored
from tracing.schemas.bodies import entry_of
from tracing.schemas.errors import (
    EntryError,
    IncompatibleSchemaError,
    LevelUnsetError,
    ReferencedError,
    SchemaUnknownError,
    SubjectDeletedError,
    SubjectNotDeletedError,
    SubjectUnknownError,
    VersionDeletedError,
    VersionNotDeletedError,
)
from tracing.schemas.parsing import fingerprint, parse
from tracing.schemas.references import Needed, built_on, candidate
from tracing.schemas.registry import (
    AS_REGISTRY,
    DEFAULT_LEVEL,
    Deed,
    Draft,
    Entry,
    Level,
    Registry,
    Telling,
    Verdict,
    check_subject,
    deletion,
    tell_nobody,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

BUILT_IN = ""
# Somebody else may register at the same time: the check is then made again.
_TRIES = 5


class _Ready(msgspec.Struct, frozen=True):
    """A draft that can be used: its JSON, what it builds on, and its fingerprint."""

    draft: Draft
    value: Any
    built_on: Needed
    fingerprint: str


class BuiltIn(Registry):
    """Entries in our own tables. A change is told within its transaction."""

    def __init__(self, tell: Telling = tell_nobody) -> None:
        """Tell changes to nobody else."""
        self._tell = tell

    def subjects(self, *, deleted: bool = False) -> list[str]:
        """Return their names. One query."""
        rows = Subject.objects.filter(registry=BUILT_IN)
        rows = rows if deleted else rows.filter(latest__gt=0)
        return sorted(rows.values_list("name", flat=True))

    def listed(self, offset: int, limit: int) -> list[Entry]:
        """Return some of all live versions, by subject and version. Two queries."""
        return [entries.entry_of(row) for row in stored.listed(BUILT_IN, offset, limit)]

    def versions(self, subject: str, *, deleted: bool = False) -> list[int]:
        """Return a subject's versions. One query."""
        rows = stored.versions(BUILT_IN, subject, deleted=deleted)
        found = list(rows.values_list("version", flat=True))
        if not found:
            raise SubjectUnknownError(f"This is {subject!r}.")
        return found

    def by_version(self, subject: str, version: int | None, *, deleted: bool = False) -> Entry:
        """Return one version. One query or two."""
        return entries.entry_of(stored.version(BUILT_IN, subject, version, deleted=deleted))

    def by_id(self, number: int) -> Entry:
        """Return the schema of an id. One query."""
        row = stored.of_id(BUILT_IN, number).first()
        if row is None:
            raise SchemaUnknownError(f"Its id is {number}.")
        return entries.entry_of(row)

    def places(self, number: int, *, deleted: bool = False) -> list[tuple[str, int]]:
        """Return where an id is registered. One query or two."""
        rows = stored.of_id(BUILT_IN, number)
        live = rows if deleted else rows.filter(deleted_at=None)
        found = sorted(live.values_list("subject__name", "version"))
        if not found and not rows.exists():
            raise SchemaUnknownError(f"Its id is {number}.")
        return found

    def register(self, subject: str, draft: Draft, *, by: str) -> Entry:
        """Store a version, and its schema for records that name its id."""
        check_subject(subject)
        ready = _ready(draft)
        for _ in range(_TRIES):
            same = _same(subject, ready)
            if same is not None:
                return entries.entry_of(same)
            level, live = self._rule(subject), _live(subject)
            verdict = _judge(level, ready, live)
            if not verdict.compatible:
                raise IncompatibleSchemaError(verdict.reasons)
            with transaction.atomic():
                head = entries.lock(BUILT_IN)
                # What it was checked against is still what is there.
                if (self._rule(subject), _live(subject)) == (level, live):
                    entry = _store(subject, ready, by, head.last_number)
                    told = {"version": entry.version, "id": entry.id}
                    self._tell(Deed(by, "schema registered", subject, entry.version, told))
                    return entry
        raise EntryError("Somebody else keeps changing this subject: try again.")

    def look_up(self, subject: str, draft: Draft, *, deleted: bool = False) -> Entry:
        """Return the version that says the same. A few queries."""
        if not stored.versions(BUILT_IN, subject, deleted=deleted).exists():
            raise SubjectUnknownError(f"This is {subject!r}.")
        row = _same(subject, _ready(draft), deleted=deleted)
        if row is None:
            raise SchemaUnknownError(f"It is none of {subject!r}.")
        return entries.entry_of(row)

    def check(self, subject: str, draft: Draft, version: int | None) -> Verdict:
        """Judge a schema beside one version, as if it were the last."""
        row = stored.version(BUILT_IN, subject, version)
        return _judge(self._rule(subject), _ready(draft), [row])

    def check_all(self, subject: str, draft: Draft) -> Verdict:
        """Judge a schema as `register` does."""
        return _judge(self._rule(subject), _ready(draft), _live(subject))

    def level(self, subject: str = "") -> Level | None:
        """Return a level. One query."""
        row = CompatibilityLevel.objects.filter(registry=BUILT_IN, subject=subject).first()
        if row is not None:
            return Level(row.level)
        return None if subject else DEFAULT_LEVEL

    def set_level(self, subject: str, level: Level, *, by: str) -> None:
        """Store a level, who set it and when."""
        if subject:
            check_subject(subject)
        with transaction.atomic():
            CompatibilityLevel.objects.update_or_create(
                registry=BUILT_IN,
                subject=subject,
                defaults={"level": level.value, "set_by": by[:150], "set_at": timezone.now()},
            )
            self._tell(Deed(by, "schema level", subject, outcome={"level": level.value}))

    def clear_level(self, subject: str, *, by: str) -> None:
        """Remove a level."""
        rows = CompatibilityLevel.objects.filter(registry=BUILT_IN, subject=subject)
        with transaction.atomic():
            gone, _ = rows.delete()
            if gone:
                self._tell(Deed(by, "schema level", subject, outcome={"level": AS_REGISTRY}))
        if not gone and subject:
            raise LevelUnsetError(f"This is {subject!r}.")

    def delete_version(
        self, subject: str, version: int | None, *, by: str, permanent: bool = False
    ) -> int:
        """Mark a version as deleted; with `permanent`, remove what is marked."""
        with transaction.atomic():
            entries.lock(BUILT_IN)
            deleted = True if version else permanent
            row = stored.version(BUILT_IN, subject, version, deleted=deleted)
            named = f"This is version {row.version} of {subject!r}."
            if permanent and row.deleted_at is None:
                raise VersionNotDeletedError(named)
            if not permanent and row.deleted_at is not None:
                raise VersionDeletedError(named)
            _delete([row], by, permanent=permanent)
            self._tell(Deed(by, deletion(permanent=permanent), subject, row.version))
        return row.version

    def delete_subject(self, subject: str, *, by: str, permanent: bool = False) -> list[int]:
        """Mark every version as deleted; with `permanent`, remove all of them."""
        with transaction.atomic():
            entries.lock(BUILT_IN)
            rows = list(stored.versions(BUILT_IN, subject, deleted=True))
            live = [row for row in rows if row.deleted_at is None]
            if not rows:
                raise SubjectUnknownError(f"This is {subject!r}.")
            if permanent and live:
                raise SubjectNotDeletedError(f"This is {subject!r}.")
            if not permanent and not live:
                raise SubjectDeletedError(f"This is {subject!r}.")
            _delete(rows if permanent else live, by, permanent=permanent)
            CompatibilityLevel.objects.filter(registry=BUILT_IN, subject=subject).delete()
            self._tell(Deed(by, deletion(permanent=permanent), subject))
        return [row.version for row in (rows if permanent else live)]

    def referenced_by(self, subject: str, version: int | None) -> list[int]:
        """Return the ids of live versions that build on one."""
        row = stored.version(BUILT_IN, subject, version, deleted=True)
        users = stored.users(BUILT_IN, [row])
        return sorted(set(users.values_list("user__number", flat=True)))

    def _rule(self, subject: str) -> Level:
        return self.level(subject) or self.level() or DEFAULT_LEVEL


def _live(subject: str) -> list[SubjectVersion]:
    return list(stored.versions(BUILT_IN, subject))


def _same(subject: str, ready: _Ready, *, deleted: bool = False) -> SubjectVersion | None:
    rows = stored.versions(BUILT_IN, subject, deleted=deleted)
    return rows.filter(fingerprint=ready.fingerprint).last()


def _ready(draft: Draft) -> _Ready:
    """Parse a draft and find what it builds on. Raises BadSchemaError."""
    needed = built_on(BUILT_IN, draft.references, whole=True)
    value = parse(draft, needed)
    return _Ready(draft, value, needed, fingerprint(draft, value))


def _judge(level: Level, ready: _Ready, old: Sequence[SubjectVersion]) -> Verdict:
    new = compatibility.Candidate(ready.draft.type, ready.draft.text, ready.built_on)
    if level is Level.NONE:
        return Verdict(compatible=True)
    chosen = old if level.transitive else old[-1:]
    return compatibility.judge(level, new, [candidate(row, whole=True) for row in chosen])


def _store(name: str, ready: _Ready, by: str, last_number: int) -> Entry:
    """Write a version, whoever holds the registry's lock."""
    now = timezone.now()
    subject, _ = Subject.objects.get_or_create(registry=BUILT_IN, name=name)
    last = subject.versions.order_by("version").last()
    draft = ready.draft
    number = _number(ready.fingerprint, last_number)
    entry = entry_of(name, last.version + 1 if last else 1, number, draft)
    row = entries.row_of(subject, entry, fingerprint=ready.fingerprint, now=now)
    row.registered_by, row.registered_at = by[:150], now
    row.save()
    entries.index(subject, [(row, ready.value)])
    entries.summarize(subject)
    Schema.objects.update_or_create(
        registry=BUILT_IN,
        reference=f"id:{number}",
        defaults={
            "type": draft.type,
            "text": draft.text,
            "references": [list(one) for one in ready.built_on],
            "fetched_at": now,
            "error": "",
            "next_at": None,
        },
    )
    return entry


def _number(same: str, last_number: int) -> int:
    """Return the id of a schema: the one that it has in another subject, else the next."""
    rows = SubjectVersion.objects.filter(subject__registry=BUILT_IN, fingerprint=same)
    known = rows.values_list("number", flat=True).first()
    if known is not None:
        return known
    RegistryHead.objects.filter(registry=BUILT_IN).update(last_number=last_number + 1)
    return last_number + 1


def _delete(rows: Sequence[SubjectVersion], by: str, *, permanent: bool) -> None:
    """Delete versions of one subject. Raises ReferencedError."""
    subject = rows[0].subject
    user = stored.users(BUILT_IN, rows).select_related("user__subject").first()
    if user is not None:
        other = f"{user.user.subject.name!r}, version {user.user.version}"
        raise ReferencedError(f"One is {other}.")
    chosen = SubjectVersion.objects.filter(pk__in=[row.pk for row in rows])
    if permanent:
        chosen.delete()
    else:
        chosen.update(deleted_at=timezone.now(), deleted_by=by[:150])
    entries.summarize(subject)
