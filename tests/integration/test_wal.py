"""Pages leave SQLite's write-ahead log while the ingestor's own connection moves none."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from tests.servers.processes import wait_for
from tracing.ingest import wal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="Postgres does it by itself"),
]


@pytest.mark.django_db(transaction=True)
def test_a_thread_moves_pages_that_a_commit_left_there() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with wal.moved_beside():
            before = _written()
            cursor.execute("CREATE TABLE filling (bytes)")
            try:
                wait_for(lambda: _written() > before, "pages in the file")
            finally:
                cursor.execute("DROP TABLE filling")


def _written() -> int:
    return Path(connection.settings_dict["NAME"]).stat().st_mtime_ns
