"""A few threads of their own for the sockets' work with the database.

HTTP requests and sockets never wait for each other, and a hundred sockets use a few connections.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections

from tracing.domain.errors import EventvizError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper

Result = TypeVar("Result")

SIZE = 3


class DatabaseAwayError(EventvizError):
    """The database does not answer."""


class Threads:
    """Run functions that use the ORM, each in one of a few threads.

    A thread keeps its connection between two calls (opening one costs more than most queries),
    except where Django pools connections: there it goes back at once. A connection that failed
    is closed, so that the next call opens a healthy one.
    """

    def __init__(self, size: int = SIZE) -> None:
        """Begin without a thread: they start when there is work."""
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="live")
        self._lock = threading.Lock()
        self._opened: dict[int, BaseDatabaseWrapper] = {}

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns. Raises DatabaseAwayError when the database is away."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._guarded, work)

    async def close(self) -> None:
        """Wait for what is running, end the threads and close their connections."""
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _guarded(self, work: Callable[[], Result]) -> Result:
        connection = connections[DEFAULT_DB_ALIAS]
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            connection.close()
            raise DatabaseAwayError(str(error)) from error
        finally:
            self._settle(connection)

    def _settle(self, connection: BaseDatabaseWrapper) -> None:
        if connection.settings_dict.get("OPTIONS", {}).get("pool"):
            connection.close()
            return
        with self._lock:
            if threading.get_ident() not in self._opened:
                # Another thread closes it at the end: this one may be gone by then.
                connection.inc_thread_sharing()
                self._opened[threading.get_ident()] = connection

    def _close(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)
        for connection in self._opened.values():
            connection.close()
        self._opened.clear()
