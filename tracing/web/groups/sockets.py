"""The live groups' pages: `/live/groups` and `/live/group?name=<group>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.text import clean
from tracing.web.groups import present
from tracing.web.topics.sockets import TopicsSocket

if TYPE_CHECKING:
    from collections.abc import Hashable


class GroupsSocket(TopicsSocket):
    """Sends the groups anew once a second, if they differ."""

    def subscription(self) -> Hashable:
        """Return the page: it has no parameters."""
        return "groups"

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return all groups."""
        return present.overview_fragment()

    def render_clock(self) -> str:
        """Return all groups."""
        return present.overview_fragment()


class GroupSocket(TopicsSocket):
    """Sends one group with its members."""

    async def connect(self) -> None:
        """Read which group."""
        self.name = clean(self.parameters.get("name", ""))
        await super().connect()

    def subscription(self) -> Hashable:
        """Return the group."""
        return ("group", self.name)

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the group."""
        return present.detail_fragment(self.name)

    def render_clock(self) -> str:
        """Return the group."""
        return present.detail_fragment(self.name)
