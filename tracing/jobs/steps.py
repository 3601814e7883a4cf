"""The steps there are. A new one is a module in this room and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from tracing.jobs.alerts import TellAlerts
from tracing.jobs.checking import CheckPayloads
from tracing.jobs.groups import LookAtCluster
from tracing.jobs.mirror import MirrorRegistry
from tracing.jobs.prune import Prune
from tracing.jobs.rebuilding import Rebuild
from tracing.jobs.retry import FollowRetries, SendRetries
from tracing.jobs.schemas import DecodeLate, FetchSchemas
from tracing.kafka.connection import read_security
from tracing.projections.keeping import parse_age, parse_size
from tracing.schemas.built_in import BUILT_IN
from tracing.schemas.current import registry_login
from tracing.schemas.fetching import Fetcher
from tracing.schemas.mirror import Mirror

if TYPE_CHECKING:
    from tracing.jobs.step import Step


def all_steps() -> tuple[Step, ...]:
    """Return the steps of this installation, made anew for one worker."""
    servers = settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS
    security = read_security(settings.EVENTVIZ_KAFKA_SECURITY)
    cluster = LookAtCluster(servers, security, own_group=settings.EVENTVIZ_KAFKA_GROUP)
    keep = Prune(
        keep_ms=parse_age(settings.EVENTVIZ_KEEP) if settings.EVENTVIZ_KEEP else 0,
        keep_bytes=parse_size(settings.EVENTVIZ_KEEP_BYTES) if settings.EVENTVIZ_KEEP_BYTES else 0,
    )
    return (*_of_registry(), cluster, Rebuild(), TellAlerts(), CheckPayloads(), keep)


def retry_steps() -> tuple[Step, ...]:
    """Return the steps that a thread of its own does: no slow neighbour may hold their rate up."""
    servers = settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS
    return (SendRetries(servers, read_security(settings.EVENTVIZ_KAFKA_SECURITY)), FollowRetries())


def _of_registry() -> tuple[Step, ...]:
    """Return the steps of the registry; nothing is fetched from the built-in one."""
    url = settings.EVENTVIZ_SCHEMA_REGISTRY_URL
    if not url:
        return (DecodeLate(BUILT_IN),)
    login = registry_login()
    fetch = FetchSchemas(Fetcher(login), url)
    return (fetch, DecodeLate(url), MirrorRegistry(Mirror(login), url))
