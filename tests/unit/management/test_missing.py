"""A database without tables is told from any other trouble."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from tracing.management.missing import missing_tables


@pytest.mark.parametrize(
    "said", ["no such table: tracing_flow", 'relation "tracing_flow" does not exist\nLINE 1']
)
def test_what_sqlite_and_postgres_say_of_a_missing_table_is_told(said: str) -> None:
    assert "manage.py migrate" in (missing_tables(OperationalError(said)) or "")


def test_any_other_trouble_is_not_about_tables() -> None:
    assert missing_tables(OperationalError("database is locked")) is None
