"""Tables: the log, the read models, people's decisions."""

from tracing.models.alert import Alert, AlertMute
from tracing.models.dead_letter import (
    DeadLetter,
    DeadLetterGroup,
    DeadLetterHour,
    RetriedRecord,
    RetryCopy,
)
from tracing.models.event import Event, EventBlock, EventIndex, Node
from tracing.models.flow import Flow, FlowCount, SearchKey
from tracing.models.gap import Gap
from tracing.models.group import ConsumerGroup
from tracing.models.group_decision import GroupDecision
from tracing.models.horizon import Horizon
from tracing.models.ingestor import Ingestor
from tracing.models.lease import Lease
from tracing.models.log import LogHead, Record, RecordBlock
from tracing.models.mapping import MappingDecision, RebuildRun
from tracing.models.retry import AuditEntry, Discard, RetryItem, RetryRun, RetryTally
from tracing.models.saga import (
    SagaCount,
    SagaDefinition,
    SagaDuration,
    SagaFlag,
    SagaFlagCount,
    SagaFlow,
    SagaInstance,
)
from tracing.models.schema import AwaitingRecord, Schema
from tracing.models.seen import SeenInterval, SeenVersion
from tracing.models.source import Partition, Source
from tracing.models.subject import (
    CompatibilityLevel,
    RegistryHead,
    Subject,
    SubjectVersion,
    SubjectWord,
    VersionReference,
)
from tracing.models.token import ApiToken
from tracing.models.topic import TopicFacts
from tracing.models.undecodable import Undecodable, UndecodableReason
from tracing.models.violation import SchemaCheck, SchemaViolation

__all__ = [
    "Alert",
    "AlertMute",
    "ApiToken",
    "AuditEntry",
    "AwaitingRecord",
    "CompatibilityLevel",
    "ConsumerGroup",
    "DeadLetter",
    "DeadLetterGroup",
    "DeadLetterHour",
    "Discard",
    "Event",
    "EventBlock",
    "EventIndex",
    "Flow",
    "FlowCount",
    "Gap",
    "GroupDecision",
    "Horizon",
    "Ingestor",
    "Lease",
    "LogHead",
    "MappingDecision",
    "Node",
    "Partition",
    "RebuildRun",
    "Record",
    "RecordBlock",
    "RegistryHead",
    "RetriedRecord",
    "RetryCopy",
    "RetryItem",
    "RetryRun",
    "RetryTally",
    "SagaCount",
    "SagaDefinition",
    "SagaDuration",
    "SagaFlag",
    "SagaFlagCount",
    "SagaFlow",
    "SagaInstance",
    "Schema",
    "SchemaCheck",
    "SchemaViolation",
    "SearchKey",
    "SeenInterval",
    "SeenVersion",
    "Source",
    "Subject",
    "SubjectVersion",
    "SubjectWord",
    "TopicFacts",
    "Undecodable",
    "UndecodableReason",
    "VersionReference",
]
