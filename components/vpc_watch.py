"""Tells of a new VPC, so that the gap until the next `pulumi up` is known and short.

EventBridge sees the call only where a CloudTrail trail logs management events in the region.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.iam import Deployment, Statement, document
from contract import Purpose, kit_tags

NAME = "cordon-new-vpc"
PATTERN: dict[str, object] = {
    "source": ["aws.ec2"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {
        "eventSource": ["ec2.amazonaws.com"],
        "eventName": ["CreateVpc", "CreateDefaultVpc"],
        # A refused call has an error code and made nothing.
        "errorCode": [{"exists": False}],
    },
}
KEPT_FOR = 1_209_600
"""Seconds that the queue keeps a message: 14 days, the most that SQS allows."""


@dataclass(frozen=True)
class VpcWatchArgs:
    """`target` is `queue`, or `topic` with some mail addresses (each has to confirm)."""

    region: str
    deployment: Deployment
    target: str
    key_arn: pulumi.Input[str]
    emails: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


class VpcWatch(pulumi.ComponentResource):
    """Rule and target in one region; `target_arn` is the queue's or the topic's."""

    def __init__(
        self, name: str, args: VpcWatchArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:VpcWatch", name, {"region": args.region}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = kit_tags(Purpose.WATCH, args.tags)
        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            region=args.region,
            name=NAME,
            description="Cordon: a VPC was created and has no isolation groups yet",
            event_pattern=json.dumps(PATTERN, sort_keys=True),
            tags=self._tags,
            opts=self._child,
        )
        self.target_arn = self._queue(rule) if args.target == "queue" else self._topic()
        aws.cloudwatch.EventTarget(
            f"{name}-target",
            region=args.region,
            rule=rule.name,
            arn=self.target_arn,
            opts=self._child,
        )
        self.register_outputs({"targetArn": self.target_arn})

    def _queue(self, rule: aws.cloudwatch.EventRule) -> pulumi.Output[str]:
        queue = aws.sqs.Queue(
            f"{self._name}-queue",
            region=self._args.region,
            name=NAME,
            sqs_managed_sse_enabled=True,
            message_retention_seconds=KEPT_FOR,
            tags=self._tags,
            opts=self._child,
        )
        aws.sqs.QueuePolicy(
            f"{self._name}-queue-policy",
            region=self._args.region,
            queue_url=queue.url,
            policy=pulumi.Output.all(queue.arn, rule.arn).apply(
                lambda arns: document(_let_in("sqs:SendMessage", "sqs:*", *arns))
            ),
            opts=self._child,
        )
        return queue.arn

    def _topic(self) -> pulumi.Output[str]:
        topic = aws.sns.Topic(
            f"{self._name}-topic",
            region=self._args.region,
            name=NAME,
            kms_master_key_id=self._args.key_arn,
            tags=self._tags,
            opts=self._child,
        )
        aws.sns.TopicPolicy(
            f"{self._name}-topic-policy",
            region=self._args.region,
            arn=topic.arn,
            # No rule: "You can't use `Condition` blocks" here, says EventBridge's user guide.
            policy=topic.arn.apply(
                lambda arn: document(_let_in("sns:Publish", "sns:Publish", arn))
            ),
            opts=self._child,
        )
        for email in self._args.emails:
            aws.sns.TopicSubscription(
                f"{self._name}-mail-{email}",
                region=self._args.region,
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=self._child,
            )
        return topic.arn


def _let_in(allowed: str, denied: str, target: str, rule: str = "") -> list[Statement]:
    """EventBridge may send, for one rule only if given; nobody may without TLS."""
    send: Statement = {
        "Sid": "Rule",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": allowed,
        "Resource": target,
    }
    if rule:
        send["Condition"] = {"ArnEquals": {"aws:SourceArn": rule}}
    return [
        send,
        {
            "Sid": "PlainHttp",
            "Effect": "Deny",
            "Principal": "*",
            "Action": denied,
            "Resource": target,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
