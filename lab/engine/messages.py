"""Rules of EventBridge, queues, topics, and groups of logs."""

from __future__ import annotations

from typing import Any

from lab.engine.resource import Created, New


def _rule(new: New) -> Created:
    made = new.client("events").put_rule(
        Name=new.name,
        Tags=new.tags,
        **new.some(
            eventPattern="EventPattern",
            scheduleExpression="ScheduleExpression",
            description="Description",
        ),
    )
    return new.name, {"arn": made["RuleArn"], "name": new.name}


def _target(new: New) -> Created:
    rule, target = new.inputs["rule"], new.inputs.get("targetId") or f"{new.logical}-target"
    put = new.client("events").put_targets(
        Rule=rule, Targets=[{"Id": target, "Arn": new.inputs["arn"], **new.some(roleArn="RoleArn")}]
    )
    if put["FailedEntryCount"]:
        raise RuntimeError(f"the target was not put: {put['FailedEntries']}")
    return f"{rule}-{target}", {"targetId": target}


_QUEUE = {
    "kmsMasterKeyId": "KmsMasterKeyId",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "policy": "Policy",
}


def _queue(new: New) -> Created:
    given = {
        aws: new.inputs[wire] for wire, aws in _QUEUE.items() if new.inputs.get(wire) is not None
    }
    url = new.client("sqs").create_queue(
        QueueName=new.name,
        Attributes={name: _text(value) for name, value in given.items()},
        tags=new.inputs.get("tags") or {},
    )["QueueUrl"]
    arn = f"arn:aws:sqs:{new.region}:{new.account}:{new.name}"
    return url, {"arn": arn, "url": url, "name": new.name}


def _queue_policy(new: New) -> Created:
    url = new.inputs["queueUrl"]
    new.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": new.inputs["policy"]}
    )
    return str(url), {}


def _topic(new: New) -> Created:
    key = (
        {"KmsMasterKeyId": new.inputs["kmsMasterKeyId"]} if new.inputs.get("kmsMasterKeyId") else {}
    )
    arn = new.client("sns").create_topic(Name=new.name, Attributes=key, Tags=new.tags)["TopicArn"]
    return arn, {"arn": arn, "name": new.name, "owner": new.account}


def _topic_policy(new: New) -> Created:
    arn = new.inputs["arn"]
    new.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=new.inputs["policy"]
    )
    return str(arn), {"owner": new.account}


def _subscription(new: New) -> Created:
    arn = new.client("sns").subscribe(
        TopicArn=new.inputs["topic"],
        Protocol=new.inputs["protocol"],
        Endpoint=new.inputs["endpoint"],
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return arn, {"arn": arn}


def _log_group(new: New) -> Created:
    logs = new.client("logs")
    logs.create_log_group(
        logGroupName=new.name, tags=new.inputs.get("tags") or {}, **new.some(kmsKeyId="kmsKeyId")
    )
    if new.inputs.get("retentionInDays"):
        logs.put_retention_policy(
            logGroupName=new.name, retentionInDays=new.inputs["retentionInDays"]
        )
    arn = f"arn:aws:logs:{new.region}:{new.account}:log-group:{new.name}"
    return new.name, {"arn": arn, "name": new.name}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


CREATE = {
    "aws:cloudwatch/eventRule:EventRule": _rule,
    "aws:cloudwatch/eventTarget:EventTarget": _target,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_policy,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
}
