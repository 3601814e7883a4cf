"""What every test with a database needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.db import close_old_connections

from tests.integration.people import browser_of, somebody
from tracing.models import LogHead
from tracing.projections.names import names
from tracing.projections.settings import forget_rules


@pytest.fixture(autouse=True)
def fresh_names() -> None:
    """Forget names and schemas of this process: each test's rows have numbers of their own."""
    names.cache_clear()
    forget_rules()


@pytest.fixture
def live_log(transactional_db: None) -> Iterator[None]:
    """Use a database that other threads see; it is emptied behind the test, the log's head too."""
    LogHead.objects.get_or_create(id=1)
    yield
    # Channels' test clients leave the connection of the thread behind `sync_to_async` open; no
    # database can be dropped while somebody holds one.
    SyncToAsync.single_thread_executor.submit(close_old_connections).result()


@pytest.fixture
def cookie(live_log: None) -> bytes:
    """Return the cookie of somebody who is signed in."""
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={browser_of(somebody()).cookies[name].value}".encode()
