"""Tables: the log, the read models, people's decisions."""

from tracing.models.event import Event, Node
from tracing.models.flow import Flow, FlowCount, SearchKey
from tracing.models.gap import Gap
from tracing.models.group import ConsumerGroup
from tracing.models.ingestor import Ingestor
from tracing.models.log import LogHead, Record
from tracing.models.mapping import MappingDecision, RebuildRun
from tracing.models.source import Partition, Source
from tracing.models.token import ApiToken
from tracing.models.topic import TopicFacts
from tracing.models.undecodable import Undecodable, UndecodableReason

__all__ = [
    "ApiToken",
    "ConsumerGroup",
    "Event",
    "Flow",
    "FlowCount",
    "Gap",
    "Ingestor",
    "LogHead",
    "MappingDecision",
    "Node",
    "Partition",
    "RebuildRun",
    "Record",
    "SearchKey",
    "Source",
    "TopicFacts",
    "Undecodable",
    "UndecodableReason",
]
