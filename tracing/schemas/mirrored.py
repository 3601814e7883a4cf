"""Another registry as people change it through us: it decides, our tables follow at once."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from django.utils import timezone

from tracing.domain.errors import EventvizError
from tracing.models import CompatibilityLevel
from tracing.schemas import compatibility, stored
from tracing.schemas.confluent import NO_REASON, Confluent
from tracing.schemas.errors import BadAnswerError, BadSchemaError, RegistryUnavailableError
from tracing.schemas.mirror import Mirror
from tracing.schemas.references import built_on, candidate
from tracing.schemas.registry import (
    AS_REGISTRY,
    DEFAULT_LEVEL,
    Deed,
    Telling,
    deletion,
    tell_nobody,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from tracing.models import SubjectVersion
    from tracing.schemas.http import Login
    from tracing.schemas.registry import Draft, Entry, Level, Verdict

log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Mirrored(Confluent):
    """Changes go there; who made them is remembered here, and told before and after."""

    def __init__(self, login: Login, tell: Telling = tell_nobody) -> None:
        """Connect to nothing yet."""
        super().__init__(login)
        self._url = login.url
        self._mirror = Mirror(login)
        self._tell = tell

    def check_all(self, subject: str, draft: Draft) -> Verdict:
        """Let the registry judge; where it gives no reason, ours is said beside it."""
        verdict = super().check_all(subject, draft)
        if verdict.reasons != (NO_REASON,):
            return verdict
        return msgspec.structs.replace(verdict, reasons=(NO_REASON, *self._reasons(subject, draft)))

    def register(self, subject: str, draft: Draft, *, by: str) -> Entry:
        """Register a schema there, and remember who did."""
        with self._told(Deed(by, "schema registered", subject)) as outcome:
            entry = super().register(subject, draft, by=by)
            outcome |= {"version": entry.version, "id": entry.id}
        self._follow(subject)
        rows = self._rows(subject, [entry.version]).filter(registered_at=None)
        rows.update(registered_by=by[:150], registered_at=timezone.now())
        return entry

    def set_level(self, subject: str, level: Level, *, by: str) -> None:
        """Set a level there, and remember who did."""
        with self._told(Deed(by, "schema level", subject)) as outcome:
            super().set_level(subject, level, by=by)
            outcome["level"] = level.value
        CompatibilityLevel.objects.update_or_create(
            registry=self._url,
            subject=subject,
            defaults={"level": level.value, "set_by": by[:150], "set_at": timezone.now()},
        )

    def clear_level(self, subject: str, *, by: str) -> None:
        """Remove a level there and here."""
        with self._told(Deed(by, "schema level", subject)) as outcome:
            super().clear_level(subject, by=by)
            outcome["level"] = AS_REGISTRY
        CompatibilityLevel.objects.filter(registry=self._url, subject=subject).delete()

    def delete_version(
        self, subject: str, version: int | None, *, by: str, permanent: bool = False
    ) -> int:
        """Delete a version there, and remember who did."""
        with self._told(Deed(by, deletion(permanent=permanent), subject, version or 0)):
            number = super().delete_version(subject, version, by=by, permanent=permanent)
        self._gone(subject, [number], by)
        return number

    def delete_subject(self, subject: str, *, by: str, permanent: bool = False) -> list[int]:
        """Delete a subject there, and remember who did."""
        with self._told(Deed(by, deletion(permanent=permanent), subject)):
            numbers = super().delete_subject(subject, by=by, permanent=permanent)
        self._gone(subject, numbers, by)
        return numbers

    def _call(self, method: str, path: str, kind: type[_T], body: Any = None) -> _T:
        """Close behind each call: a page makes a few, and nobody says when it is done with us."""
        try:
            return super()._call(method, path, kind, body)
        finally:
            self.close()

    @contextmanager
    def _told(self, deed: Deed) -> Iterator[dict[str, Any]]:
        """Tell what is asked for, then what came of it: of a deed there is a trace in any case."""
        self._tell(msgspec.structs.replace(deed, outcome={"asked": self._url}))
        outcome: dict[str, Any] = {}
        try:
            yield outcome
        except EventvizError as error:
            self._tell(msgspec.structs.replace(deed, outcome={"refused": str(error)[:500]}))
            raise
        version = deed.version or outcome.get("version", 0)
        done = outcome or {"done": True}
        self._tell(msgspec.structs.replace(deed, version=version, outcome=done))

    def _gone(self, subject: str, versions: list[int], by: str) -> None:
        self._follow(subject)
        rows = self._rows(subject, versions)
        rows.exclude(deleted_at=None).update(deleted_by=by[:150])

    def _follow(self, subject: str) -> None:
        try:
            self._mirror.refresh(subject)
        except (RegistryUnavailableError, BadAnswerError) as error:
            # The change is made; the mirror's next round shows it.
            log.warning("%s What was changed is shown when it is back.", error)

    def _rows(self, subject: str, versions: list[int]) -> QuerySet[SubjectVersion]:
        rows = stored.versions(self._url, subject, deleted=True)
        return rows.filter(version__in=versions)

    def _reasons(self, subject: str, draft: Draft) -> tuple[str, ...]:
        """Return why our judge finds a schema incompatible, if it does."""
        try:
            level = self.level(subject) or self.level() or DEFAULT_LEVEL
            rows = list(stored.versions(self._url, subject))
            needed = built_on(self._url, draft.references, whole=True)
            new = compatibility.Candidate(draft.type, draft.text, needed)
            chosen = rows if level.transitive else rows[-1:]
            old = [candidate(row, whole=True) for row in chosen]
            verdict = compatibility.judge(level, new, old)
        except (RegistryUnavailableError, BadAnswerError, BadSchemaError):
            return ()
        return () if verdict.compatible else verdict.reasons
