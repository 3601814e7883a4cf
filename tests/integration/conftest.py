"""What every test with a database needs."""

from __future__ import annotations

import pytest

from tracing.models import LogHead
from tracing.projections.names import names


@pytest.fixture(autouse=True)
def fresh_names() -> None:
    """Forget the names that this process reads with: each test's rows have numbers of their own."""
    names.cache_clear()


@pytest.fixture
def live_log(transactional_db: None) -> None:
    """Use a database that other threads see; it is emptied behind the test, the log's head too."""
    LogHead.objects.get_or_create(id=1)
