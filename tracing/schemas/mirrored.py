"""Another registry as people change it through us: it decides, our tables follow at once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.utils import timezone

from tracing.models import CompatibilityLevel, SubjectVersion
from tracing.schemas.confluent import Confluent
from tracing.schemas.errors import BadAnswerError, RegistryUnavailableError
from tracing.schemas.mirror import Mirror

if TYPE_CHECKING:
    from tracing.schemas.http import Login
    from tracing.schemas.registry import Draft, Entry, Level

log = logging.getLogger(__name__)


class Mirrored(Confluent):
    """Changes go there; who made them is remembered here."""

    def __init__(self, login: Login) -> None:
        """Connect to nothing yet."""
        super().__init__(login)
        self._url = login.url
        self._mirror = Mirror(login)

    def register(self, subject: str, draft: Draft, *, by: str) -> Entry:
        """Register a schema there, and remember who did."""
        entry = super().register(subject, draft, by=by)
        self._follow(subject)
        rows = SubjectVersion.objects.filter(
            subject__registry=self._url, subject__name=subject, version=entry.version
        )
        rows.filter(registered_at=None).update(registered_by=by[:150], registered_at=timezone.now())
        return entry

    def set_level(self, subject: str, level: Level, *, by: str) -> None:
        """Set a level there, and remember who did."""
        super().set_level(subject, level, by=by)
        CompatibilityLevel.objects.update_or_create(
            registry=self._url,
            subject=subject,
            defaults={"level": level.value, "set_by": by[:150], "set_at": timezone.now()},
        )

    def clear_level(self, subject: str, *, by: str) -> None:
        """Remove a level there and here."""
        super().clear_level(subject, by=by)
        CompatibilityLevel.objects.filter(registry=self._url, subject=subject).delete()

    def delete_version(
        self, subject: str, version: int | None, *, by: str, permanent: bool = False
    ) -> int:
        """Delete a version there, and remember who did."""
        number = super().delete_version(subject, version, by=by, permanent=permanent)
        self._gone(subject, [number], by)
        return number

    def delete_subject(self, subject: str, *, by: str, permanent: bool = False) -> list[int]:
        """Delete a subject there, and remember who did."""
        numbers = super().delete_subject(subject, by=by, permanent=permanent)
        self._gone(subject, numbers, by)
        return numbers

    def _gone(self, subject: str, versions: list[int], by: str) -> None:
        self._follow(subject)
        rows = SubjectVersion.objects.filter(
            subject__registry=self._url, subject__name=subject, version__in=versions
        )
        rows.exclude(deleted_at=None).update(deleted_by=by[:150])

    def _follow(self, subject: str) -> None:
        try:
            self._mirror.refresh(subject)
        except (RegistryUnavailableError, BadAnswerError) as error:
            # The change is made; the mirror's next round shows it.
            log.warning("%s What was changed is shown when it is back.", error)
