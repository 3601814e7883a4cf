"""What live pages stand on: the follower of the test's event loop."""

from __future__ import annotations

import asyncio

from tests.servers.processes import PATIENCE_S
from tracing.live import follower


async def followed(position: int) -> None:
    """Wait until the loop's follower has read the log up to a position."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            shared = follower._followers.get(asyncio.get_running_loop())
            if shared and shared.follower and shared.follower.position >= position:
                return
            await asyncio.sleep(0.01)
