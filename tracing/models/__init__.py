"""Tables: the log, the read models, people's decisions."""

from tracing.models.event import Event, Node
from tracing.models.flow import Flow, FlowCount, SearchKey
from tracing.models.gap import Gap
from tracing.models.ingestor import Ingestor
from tracing.models.log import LogHead, Record
from tracing.models.source import Partition, Source
from tracing.models.token import ApiToken

__all__ = [
    "ApiToken",
    "Event",
    "Flow",
    "FlowCount",
    "Gap",
    "Ingestor",
    "LogHead",
    "Node",
    "Partition",
    "Record",
    "SearchKey",
    "Source",
]
