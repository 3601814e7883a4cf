"""The steps there are. A new one is a module in this room and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from tracing.jobs.groups import LookAtCluster
from tracing.kafka.connection import read_security

if TYPE_CHECKING:
    from tracing.jobs.step import Step


def all_steps() -> tuple[Step, ...]:
    """Return the steps of this installation, made anew for one worker."""
    servers = settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS
    security = read_security(settings.EVENTVIZ_KAFKA_SECURITY)
    return (LookAtCluster(servers, security, own_group=settings.EVENTVIZ_KAFKA_GROUP),)
