"""What the processes' logs leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import RequestAborted

if TYPE_CHECKING:
    import logging


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether a line is worth reading: a visitor who left before the answer came is not.

    Django raises RequestAborted in a task that nobody awaits any more, and asyncio logs that with
    a traceback, also whenever the server ends during a request.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], RequestAborted))
