"""The tables, queues and so on of a resolved template: what is made of them, and what of their properties is not."""

import json
from dataclasses import dataclass, field

from emulator.template.names import NAME_PROPERTIES
from emulator.template.resolver import Resolver
from emulator.template.values import Json, Object, as_list, as_object, as_text

_SUBSCRIPTION = "AWS::SNS::Subscription"

# For each type the properties that are kept here, then those without any effect that could be missed on one machine:
# tags, encryption at rest, who may do what, backups, capacity.
_PROPERTIES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "AWS::DynamoDB::Table": (
        frozenset({
            "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes",
            "ProvisionedThroughput", "StreamSpecification", "TableName", "TimeToLiveSpecification",
        }),
        frozenset({
            "ContributorInsightsSpecification", "DeletionProtectionEnabled", "OnDemandThroughput",
            "PointInTimeRecoverySpecification", "ResourcePolicy", "SSESpecification", "TableClass", "Tags",
            "WarmThroughput",
        }),
    ),
    "AWS::S3::Bucket": (
        frozenset({"BucketName"}),
        frozenset({
            "AccessControl", "BucketEncryption", "LifecycleConfiguration", "LoggingConfiguration",
            "OwnershipControls", "PublicAccessBlockConfiguration", "Tags",
        }),
    ),
    "AWS::SNS::Topic": (
        frozenset({"ContentBasedDeduplication", "DisplayName", "FifoTopic", "Subscription", "TopicName"}),
        frozenset({"KmsMasterKeyId", "Tags", "TracingConfig"}),
    ),
    _SUBSCRIPTION: (
        frozenset({"Endpoint", "FilterPolicy", "FilterPolicyScope", "Protocol", "RawMessageDelivery", "TopicArn"}),
        frozenset({"Region"}),
    ),
    "AWS::SQS::Queue": (
        frozenset({
            "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
            "MaximumMessageSize", "MessageRetentionPeriod", "QueueName", "ReceiveMessageWaitTimeSeconds",
            "RedriveAllowPolicy", "RedrivePolicy", "VisibilityTimeout",
        }),
        frozenset({"KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "SqsManagedSseEnabled", "Tags"}),
    ),
    "AWS::SSM::Parameter": (
        frozenset({"AllowedPattern", "DataType", "Description", "Name", "Tier", "Type", "Value"}),
        frozenset({"Tags"}),
    ),
    "AWS::SecretsManager::Secret": (
        frozenset({"Description", "GenerateSecretString", "Name", "SecretString"}),
        frozenset({"KmsKeyId", "Tags"}),
    ),
}  # fmt: skip

STATE_TYPES = frozenset(_PROPERTIES)
"""The types that are made."""


@dataclass
class StateResources:
    """Reads them; gathers what is left out in `unsupported`, what differs from AWS in `notes`."""

    resolver: Resolver
    unsupported: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self) -> str:
        """A plain CloudFormation template (JSON) of them alone, every property a plain value and every one named."""
        resources: dict[str, Json] = {}
        for kind in _PROPERTIES:
            for logical_id in self.resolver.of_type(kind):
                properties = self._known(logical_id, kind, self.resolver.properties(logical_id))
                if kind in NAME_PROPERTIES:
                    properties[NAME_PROPERTIES[kind]] = self.resolver.name(logical_id)
                elif kind == _SUBSCRIPTION and not self._delivered(logical_id, properties):
                    continue
                if kind == "AWS::SNS::Topic":
                    properties["Subscription"] = self._inline(logical_id, properties)
                resources[logical_id] = {"Type": kind, "Properties": properties}
        return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})

    def _known(self, logical_id: str, kind: str, properties: Object) -> Object:
        kept, quiet = _PROPERTIES[kind]
        self.notes += [
            f"{logical_id}: {name} has no effect here" for name in properties if name not in kept and name not in quiet
        ]
        return {name: value for name, value in properties.items() if name in kept}

    def _inline(self, logical_id: str, topic: Object) -> Json:
        subscriptions = [as_object(each, logical_id) for each in as_list(topic.get("Subscription"), logical_id)]
        return [each for each in subscriptions if self._delivered(logical_id, each)]

    def _delivered(self, logical_id: str, subscription: Object) -> bool:
        protocol = as_text(subscription.get("Protocol"), f"protocol of {logical_id}")
        if protocol != "sqs":
            self.unsupported.append(f"{logical_id}: a topic is delivered to queues here, not by {protocol}")
        return protocol == "sqs"
