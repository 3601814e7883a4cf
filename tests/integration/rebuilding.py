"""What tests of rebuilds do in the middle of one, and look at behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection


def tables_there() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith("tracing_")}


def once(act: Callable[[], Any]) -> Callable[[int, int], None]:
    """Return a progress that acts at the first chunk, when the rebuild is in the middle."""
    acts = [act]

    def progress(_done: int, _total: int) -> None:
        if acts:
            acts.pop()()

    return progress
