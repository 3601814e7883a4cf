"""An ingestor: one session with the cluster after the other, whatever goes away meanwhile."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, close_old_connections

from tracing.domain.errors import BrokerRefusedError, BrokerUnavailableError
from tracing.ingest import trouble, wal
from tracing.ingest.beginning import Beginning
from tracing.ingest.report import Reporter
from tracing.ingest.session import Options, Session
from tracing.ingest.watchdog import Watchdog
from tracing.kafka.cluster import Cluster
from tracing.kafka.consumer import LogConsumer

if TYPE_CHECKING:
    import threading

log = logging.getLogger(__name__)

# Waits after a failure: growing, so that a broker that starts is not run over.
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
# A session of this length was no failure to connect: the next failure waits briefly again.
LONG_ENOUGH_S = 30.0


class Pipeline:
    """An ingestor: survives a broker and a database that go away, and ends when told to."""

    def __init__(self, options: Options, stop: threading.Event) -> None:
        """Connect to nothing yet."""
        self._options = options
        self._stop = stop
        self._reporter = Reporter(options.name, ", ".join(options.servers))
        self._beginning = Beginning(options.start)
        self._database_away = False

    def run(self) -> None:
        """Ingest until stopped; failures of the broker or the database are waited out."""
        watchdog = Watchdog()
        try:
            self._run(watchdog)
        finally:
            watchdog.stop()
        self._report_stopped()

    def _run(self, watchdog: Watchdog) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stop.is_set():
            watchdog.alive()
            began = time.monotonic()
            self._database_away = False
            try:
                self._session(watchdog)
            except BrokerUnavailableError as error:
                log.warning("%s Trying again in %.1f s.", error.sentence, wait_s)
                self._report_waiting(error)
            except (DatabaseError, InterfaceError) as error:
                log.warning(
                    "The database: %s. Trying again in %.1f s.", trouble.words(error), wait_s
                )
                close_old_connections()
                self._report_trouble(error)
            else:
                continue
            if time.monotonic() - began > LONG_ENOUGH_S:
                wait_s = FIRST_WAIT_S
            self._stop.wait(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _session(self, watchdog: Watchdog) -> None:
        """Connect and ingest until something fails or we are stopped."""
        options = self._options
        cluster = Cluster(options.servers, options.security)
        try:
            consumer = LogConsumer(
                options.servers,
                options.security,
                group=options.group,
                max_record_bytes=options.max_record_bytes,
            )
            try:
                session = Session(
                    options,
                    cluster,
                    consumer,
                    self._beginning,
                    self._reporter,
                    watchdog,
                    self._stop,
                )
                try:
                    with wal.moved_beside():
                        session.run()
                finally:
                    session.close()
            finally:
                consumer.close()
        finally:
            cluster.close()

    def _report_waiting(self, error: BrokerUnavailableError) -> None:
        try:
            self._reporter.waiting(str(error), refused=isinstance(error, BrokerRefusedError))
        except DatabaseError as error:
            log.warning("The database: %s", error)

    def _report_trouble(self, error: DatabaseError | InterfaceError) -> None:
        """Say on the page that there is no room; a database that is away says it itself."""
        self._database_away = not trouble.is_full(error)
        if not self._database_away:
            self._reporter.full(trouble.words(error))

    def _report_stopped(self) -> None:
        if self._database_away:
            return
        try:
            self._reporter.stopped()
        except DatabaseError as error:
            log.warning("The database: %s", error)
