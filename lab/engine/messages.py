"""Rules of EventBridge, queues, topics, and groups of logs."""

from __future__ import annotations

from typing import Any

from lab.engine.resource import Created, Held, Kind, New, exists, nothing


def _rule(new: New) -> Created:
    rule = new.client("events").put_rule(
        Name=new.name,
        Tags=new.tags,
        **new.renamed(
            eventPattern="EventPattern",
            scheduleExpression="ScheduleExpression",
            description="Description",
        ),
    )
    return new.name, {"arn": rule["RuleArn"], "name": new.name}


def _target(new: New) -> Created:
    rule, target = new.inputs["rule"], new.inputs.get("targetId") or f"{new.logical}-target"
    put = new.client("events").put_targets(
        Rule=rule,
        Targets=[{"Id": target, "Arn": new.inputs["arn"], **new.renamed(roleArn="RoleArn")}],
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


def _queue_attributes(new: New) -> dict[str, str]:
    return {name: _text(value) for name, value in new.renamed(**_QUEUE).items()}


def _queue(new: New) -> Created:
    url = new.client("sqs").create_queue(
        QueueName=new.name,
        Attributes=_queue_attributes(new),
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
    key = new.renamed(kmsMasterKeyId="KmsMasterKeyId")
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
        logGroupName=new.name, tags=new.inputs.get("tags") or {}, **new.renamed(kmsKeyId="kmsKeyId")
    )
    if new.inputs.get("retentionInDays"):
        logs.put_retention_policy(
            logGroupName=new.name, retentionInDays=new.inputs["retentionInDays"]
        )
    arn = f"arn:aws:logs:{new.region}:{new.account}:log-group:{new.name}"
    return new.name, {"arn": arn, "name": new.name}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _put_rule(held: Held) -> None:
    held.client("events").put_rule(
        Name=held.id,
        **held.renamed(
            eventPattern="EventPattern",
            scheduleExpression="ScheduleExpression",
            description="Description",
        ),
    )


def _rule_tags(held: Held) -> None:
    events, arn = held.client("events"), held.outputs["arn"]
    events.tag_resource(ResourceARN=arn, Tags=held.tags)
    if held.dropped_tags:
        events.untag_resource(ResourceARN=arn, TagKeys=held.dropped_tags)


def _has_target(held: Held) -> bool:
    targets = held.client("events").list_targets_by_rule(Rule=held.inputs["rule"])["Targets"]
    return any(target["Id"] == held.outputs["targetId"] for target in targets)


def _put_target(held: Held) -> None:
    target = {"Id": held.outputs["targetId"], "Arn": held.inputs["arn"]}
    held.client("events").put_targets(
        Rule=held.inputs["rule"], Targets=[{**target, **held.renamed(roleArn="RoleArn")}]
    )


def _put_queue(held: Held) -> None:
    held.client("sqs").set_queue_attributes(QueueUrl=held.id, Attributes=_queue_attributes(held))


def _queue_tags(held: Held) -> None:
    sqs = held.client("sqs")
    sqs.tag_queue(QueueUrl=held.id, Tags=held.inputs.get("tags") or {})
    if held.dropped_tags:
        sqs.untag_queue(QueueUrl=held.id, TagKeys=held.dropped_tags)


def _topic_key(held: Held) -> None:
    held.client("sns").set_topic_attributes(
        TopicArn=held.id,
        AttributeName="KmsMasterKeyId",
        AttributeValue=held.inputs.get("kmsMasterKeyId", ""),
    )


def _topic_tags(held: Held) -> None:
    sns = held.client("sns")
    sns.tag_resource(ResourceArn=held.id, Tags=held.tags)
    if held.dropped_tags:
        sns.untag_resource(ResourceArn=held.id, TagKeys=held.dropped_tags)


def _log_group_exists(held: Held) -> bool:
    groups = held.client("logs").describe_log_groups(logGroupNamePrefix=held.id)["logGroups"]
    return any(group["logGroupName"] == held.id for group in groups)


def _log_days(held: Held) -> None:
    held.client("logs").put_retention_policy(
        logGroupName=held.id, retentionInDays=held.inputs["retentionInDays"]
    )


def _log_key(held: Held) -> None:
    held.client("logs").associate_kms_key(logGroupName=held.id, kmsKeyId=held.inputs["kmsKeyId"])


def _log_tags(held: Held) -> None:
    logs, arn = held.client("logs"), held.outputs["arn"]
    logs.tag_resource(resourceArn=arn, tags=held.inputs.get("tags") or {})
    if held.dropped_tags:
        logs.untag_resource(resourceArn=arn, tagKeys=held.dropped_tags)


NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
NO_TOPIC = ("NotFound", "NotFoundException")
NO_RULE = ("ResourceNotFoundException",)

KINDS = {
    "aws:cloudwatch/eventRule:EventRule": Kind(
        _rule,
        exists(lambda held: held.client("events").describe_rule(Name=held.id)),
        lambda held: held.client("events").delete_rule(Name=held.id),
        {
            "eventPattern": _put_rule,
            "scheduleExpression": _put_rule,
            "description": _put_rule,
            "tags": _rule_tags,
        },
        NO_RULE,
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Kind(
        _target,
        exists(_has_target),
        lambda held: held.client("events").remove_targets(
            Rule=held.inputs["rule"], Ids=[held.outputs["targetId"]]
        ),
        {"arn": _put_target, "roleArn": _put_target},
        NO_RULE,
    ),
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        _log_group,
        exists(_log_group_exists),
        lambda held: held.client("logs").delete_log_group(logGroupName=held.id),
        {"retentionInDays": _log_days, "kmsKeyId": _log_key, "tags": _log_tags},
        ["ResourceNotFoundException"],
    ),
    "aws:sqs/queue:Queue": Kind(
        _queue,
        exists(lambda held: held.client("sqs").get_queue_attributes(QueueUrl=held.id)),
        lambda held: held.client("sqs").delete_queue(QueueUrl=held.id),
        {**dict.fromkeys(_QUEUE, _put_queue), "tags": _queue_tags},
        NO_QUEUE,
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Kind(
        _queue_policy,
        exists(lambda held: held.client("sqs").get_queue_attributes(QueueUrl=held.id)),
        lambda held: held.client("sqs").set_queue_attributes(
            QueueUrl=held.id, Attributes={"Policy": ""}
        ),
        {"policy": _queue_policy},
        NO_QUEUE,
    ),
    "aws:sns/topic:Topic": Kind(
        _topic,
        exists(lambda held: held.client("sns").get_topic_attributes(TopicArn=held.id)),
        lambda held: held.client("sns").delete_topic(TopicArn=held.id),
        {"kmsMasterKeyId": _topic_key, "tags": _topic_tags},
        NO_TOPIC,
    ),
    "aws:sns/topicPolicy:TopicPolicy": Kind(
        _topic_policy,
        exists(lambda held: held.client("sns").get_topic_attributes(TopicArn=held.id)),
        nothing,  # a topic is never without a policy, and its topic is deleted next
        {"policy": _topic_policy},
        NO_TOPIC,
    ),
    "aws:sns/topicSubscription:TopicSubscription": Kind(
        _subscription,
        exists(
            lambda held: held.client("sns").get_subscription_attributes(SubscriptionArn=held.id)
        ),
        lambda held: held.client("sns").unsubscribe(SubscriptionArn=held.id),
        absent=NO_TOPIC,
    ),
}
