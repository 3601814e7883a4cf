"""`manage.py work`: do the time-driven steps, beside any number of other processes."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracing.domain.errors import EventvizError
from tracing.jobs.steps import all_steps, retry_steps
from tracing.jobs.worker import Worker
from tracing.management.ending import end_with
from tracing.management.migrated import check_migrated


class Command(BaseCommand):
    """Run a worker in the foreground until SIGTERM or Ctrl-C."""

    help = "Do what time brings: send retries, fetch schemas, look after groups. Until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until told to stop."""
        check_migrated()
        stop = threading.Event()
        end_with(stop)
        try:
            steps, retries = all_steps(), retry_steps()
        except EventvizError as error:
            raise CommandError(str(error)) from error
        name = f"{socket.gethostname()}-{os.getpid()}"
        beside = threading.Thread(target=Worker(retries, name=name, stop=stop).run, name="retries")
        beside.start()
        try:
            Worker(steps, name=name, stop=stop).run()
        finally:
            stop.set()
            beside.join()
