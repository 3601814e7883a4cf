"""The loop of `manage.py work`: whichever step is due and free is done."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from tracing.domain.errors import EventvizError
from tracing.jobs.lease import give_back, take

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from tracing.jobs.step import Step

log = logging.getLogger(__name__)

TICK_S = 0.25
# Waits after a failure: growing, so that what is away is not run over when it comes back.
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0


class Worker:
    """Does steps until it is stopped; a step that fails rests, the others go on."""

    def __init__(self, steps: Sequence[Step], *, name: str, stop: threading.Event) -> None:
        """Do nothing yet; `name` is that of this process in the leases."""
        self._steps = steps
        self._name = name
        self._stop = stop
        self._due = {step.name: 0.0 for step in steps}
        self._failures = dict.fromkeys(self._due, 0)

    def run(self) -> None:
        """Work until stopped, through a database that goes away."""
        wait_s = FIRST_WAIT_S
        try:
            while not self._stop.is_set():
                try:
                    worked = self.round()
                except (DatabaseError, InterfaceError) as error:
                    log.warning("The database: %s. Trying again in %.1f s.", error, wait_s)
                    # What broke is made anew by the next statement.
                    connection.close()
                    self._stop.wait(wait_s)
                    wait_s = min(wait_s * 2, LONGEST_WAIT_S)
                    continue
                wait_s = FIRST_WAIT_S
                if not worked:
                    self._stop.wait(TICK_S)
        finally:
            for step in self._steps:
                step.close()

    def round(self) -> bool:
        """Do each step that is due once; return whether one of them may have more to do.

        Errors of the database pass through.
        """
        worked = False
        for step in self._steps:
            if self._stop.is_set():
                return False
            if self._due[step.name] <= time.monotonic():
                worked = self._try(step) or worked
        return worked

    def _try(self, step: Step) -> bool:
        self._due[step.name] = time.monotonic() + step.every_s
        if not step.wanted() or not take(step, self._name, timezone.now()):
            return False
        try:
            more = step.run()
        except (DatabaseError, InterfaceError):
            # Its lease ends by itself.
            raise
        except EventvizError as error:
            # Its own words say it all: a broker that is away, most often.
            log.warning("The step %s: %s", step.name, error)
            self._failed(step, error)
            return False
        except Exception as error:
            # Whatever it is: the other steps go on.
            log.exception("The step %s failed.", step.name)
            self._failed(step, error)
            return False
        self._failures[step.name] = 0
        rest_s = 0.0 if more else step.every_s
        self._due[step.name] = time.monotonic() + rest_s
        give_back(step, self._name, timezone.now(), rest_s=rest_s)
        return more

    def _failed(self, step: Step, error: Exception) -> None:
        """Let the step rest, longer each time; what it says is kept with its lease."""
        self._failures[step.name] += 1
        failures = self._failures[step.name]
        rest_s = max(step.every_s, min(FIRST_WAIT_S * 2 ** min(failures, 10), LONGEST_WAIT_S))
        self._due[step.name] = time.monotonic() + rest_s
        give_back(
            step,
            self._name,
            timezone.now(),
            rest_s=rest_s,
            error=f"{type(error).__name__}: {error}",
            failures=failures,
        )
