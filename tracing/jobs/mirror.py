"""Keep our tables like the registry that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.errors import EventvizError
from tracing.domain.text import clean
from tracing.jobs.step import Step
from tracing.models import RegistryHead

if TYPE_CHECKING:
    from tracing.schemas.mirror import Mirror

MAX_ERROR = 500


class MirrorRegistry(Step):
    """Looks at a part of the registry a run; what went wrong is shown beside the entries."""

    name = "mirror registry"
    every_s = 10.0

    def __init__(self, mirror: Mirror, url: str) -> None:
        """Ask nothing yet; `url` names the registry in the tables."""
        self._mirror = mirror
        self._url = url

    def run(self) -> bool:
        """Do one round; return whether more is due."""
        try:
            return self._mirror.round()
        except EventvizError as error:
            said = clean(str(error), MAX_ERROR)
            RegistryHead.objects.update_or_create(registry=self._url, defaults={"error": said})
            raise
