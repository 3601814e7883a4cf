"""Which topics hold failures or wait for another try: never a target by themselves."""

from __future__ import annotations

from tracing.domain.topology import TopicRole, kind_of
from tracing.projections.settings import current_rules


def is_special(topic: str) -> bool:
    """Tell whether a topic is one of dead letters or retries, by the settings or its name."""
    return kind_of(topic, current_rules().topics).role is not TopicRole.ORDINARY
