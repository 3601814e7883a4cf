"""The live pages of retries: `/live/retries` and `/live/retry?id=<run>`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tracing.domain.text import clean
from tracing.web.alerts import present as alerts
from tracing.web.retries import present
from tracing.web.topics.sockets import TopicsSocket

if TYPE_CHECKING:
    from collections.abc import Hashable


class RetriesSocket(TopicsSocket):
    """Sends the runs anew once a second, if they differ."""

    def subscription(self) -> Hashable:
        """Return the page: it has no parameters."""
        return "retries"

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return all runs."""
        return present.overview_fragment()

    def render_clock(self) -> str:
        """Return all runs."""
        return present.overview_fragment()


class AlertsSocket(TopicsSocket):
    """Sends the alerts anew once a second, if they differ."""

    def subscription(self) -> Hashable:
        """Return the page: it has no parameters."""
        return "alerts"

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the newest alerts."""
        return alerts.fragment()

    def render_clock(self) -> str:
        """Return the newest alerts."""
        return alerts.fragment()


class RetrySocket(TopicsSocket):
    """Sends one run with its messages."""

    async def connect(self) -> None:
        """Read which run, and which of its messages."""
        try:
            self.run_id = uuid.UUID(self.parameters.get("id", ""))
        except ValueError:
            self.run_id = uuid.UUID(int=0)
        self.state_shown = clean(self.parameters.get("state", ""), 20)
        self.behind = self.number("behind") or 0
        await super().connect()

    def subscription(self) -> Hashable:
        """Return the run, and which part of it."""
        return ("retry", self.run_id, self.state_shown, self.behind)

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the run."""
        return present.detail_fragment(self.run_id, self.state_shown, self.behind)

    def render_clock(self) -> str:
        """Return the run."""
        return present.detail_fragment(self.run_id, self.state_shown, self.behind)
