"""How the states of runs and of their messages look: one table for pages and legend."""

from __future__ import annotations

from tracing.web.present import Sign, signs

RUNS = signs(
    Sign("planned", "◔", "preparing", "run", "its messages are being listed"),
    Sign("running", "◐", "running", "run", "it sends, or follows what it sent"),
    Sign("following", "◐", "following", "run", "all is sent; effects are awaited"),
    Sign("paused", "‖", "paused", "ghost", "nothing is sent until somebody resumes"),
    Sign("cancelled", "✕", "cancelled", "back", "nothing more is sent"),
    Sign("done", "●", "done", "ok", "every message that was sent was processed"),
)
# How a run ended of which not every message came through; the worst that happened tells.
ENDS = signs(
    Sign("failed_again", "↻", "failed again", "fail", "all of it is back in the dead letters"),
    Sign("partly", "↻", "partly failed", "fail", "some of it is back in the dead letters"),
    Sign("unconfirmed", "?", "unconfirmed", "late", "sent; of some no new effect came in time"),
    Sign("nothing", "⊘", "nothing sent", "back", "all of it was left out"),
)
ITEMS = signs(
    Sign("pending", "○", "waiting", "ghost", "not sent yet"),
    Sign("sending", "◔", "sending", "run", "no acknowledgement yet"),
    Sign("sent", "◐", "sent", "run", "acknowledged by the broker; its effects are awaited"),
    Sign("processed", "●", "processed", "ok", "its effects arrived, the flow went on"),
    Sign("failed_again", "↻", "failed again", "fail", "it is back in the dead letters"),
    Sign("unconfirmed", "?", "unconfirmed", "late", "no new effect and no failure came in time"),
    Sign("skipped", "⊘", "left out", "back", "it was not sent"),
    Sign("cancelled", "✕", "cancelled", "back", "the run was cancelled before it was sent"),
)
