"""Rules of EventBridge, queues, topics, and groups of logs."""

from __future__ import annotations

from typing import Any

from lab.engine.resource import Created, Existing, Kind, New, exists, nothing


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


def _put_rule(existing: Existing) -> None:
    existing.client("events").put_rule(
        Name=existing.id,
        **existing.renamed(
            eventPattern="EventPattern",
            scheduleExpression="ScheduleExpression",
            description="Description",
        ),
    )


def _rule_tags(existing: Existing) -> None:
    events, arn = existing.client("events"), existing.outputs["arn"]
    events.tag_resource(ResourceARN=arn, Tags=existing.tags)
    if existing.dropped_tags:
        events.untag_resource(ResourceARN=arn, TagKeys=existing.dropped_tags)


def _has_target(existing: Existing) -> bool:
    targets = existing.client("events").list_targets_by_rule(Rule=existing.inputs["rule"])[
        "Targets"
    ]
    return any(target["Id"] == existing.outputs["targetId"] for target in targets)


def _put_target(existing: Existing) -> None:
    target = {"Id": existing.outputs["targetId"], "Arn": existing.inputs["arn"]}
    existing.client("events").put_targets(
        Rule=existing.inputs["rule"], Targets=[{**target, **existing.renamed(roleArn="RoleArn")}]
    )


def _put_queue(existing: Existing) -> None:
    existing.client("sqs").set_queue_attributes(
        QueueUrl=existing.id, Attributes=_queue_attributes(existing)
    )


def _queue_tags(existing: Existing) -> None:
    sqs = existing.client("sqs")
    sqs.tag_queue(QueueUrl=existing.id, Tags=existing.inputs.get("tags") or {})
    if existing.dropped_tags:
        sqs.untag_queue(QueueUrl=existing.id, TagKeys=existing.dropped_tags)


def _topic_key(existing: Existing) -> None:
    existing.client("sns").set_topic_attributes(
        TopicArn=existing.id,
        AttributeName="KmsMasterKeyId",
        AttributeValue=existing.inputs.get("kmsMasterKeyId", ""),
    )


def _topic_tags(existing: Existing) -> None:
    sns = existing.client("sns")
    sns.tag_resource(ResourceArn=existing.id, Tags=existing.tags)
    if existing.dropped_tags:
        sns.untag_resource(ResourceArn=existing.id, TagKeys=existing.dropped_tags)


def _log_group_exists(existing: Existing) -> bool:
    groups = existing.client("logs").describe_log_groups(logGroupNamePrefix=existing.id)[
        "logGroups"
    ]
    return any(group["logGroupName"] == existing.id for group in groups)


def _log_days(existing: Existing) -> None:
    existing.client("logs").put_retention_policy(
        logGroupName=existing.id, retentionInDays=existing.inputs["retentionInDays"]
    )


def _log_key(existing: Existing) -> None:
    existing.client("logs").associate_kms_key(
        logGroupName=existing.id, kmsKeyId=existing.inputs["kmsKeyId"]
    )


def _log_tags(existing: Existing) -> None:
    logs, arn = existing.client("logs"), existing.outputs["arn"]
    logs.tag_resource(resourceArn=arn, tags=existing.inputs.get("tags") or {})
    if existing.dropped_tags:
        logs.untag_resource(resourceArn=arn, tagKeys=existing.dropped_tags)


NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
NO_TOPIC = ("NotFound", "NotFoundException")
NO_RULE = ("ResourceNotFoundException",)

KINDS = {
    "aws:cloudwatch/eventRule:EventRule": Kind(
        _rule,
        exists(lambda existing: existing.client("events").describe_rule(Name=existing.id)),
        lambda existing: existing.client("events").delete_rule(Name=existing.id),
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
        lambda existing: existing.client("events").remove_targets(
            Rule=existing.inputs["rule"], Ids=[existing.outputs["targetId"]]
        ),
        {"arn": _put_target, "roleArn": _put_target},
        NO_RULE,
    ),
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        _log_group,
        exists(_log_group_exists),
        lambda existing: existing.client("logs").delete_log_group(logGroupName=existing.id),
        {"retentionInDays": _log_days, "kmsKeyId": _log_key, "tags": _log_tags},
        ["ResourceNotFoundException"],
    ),
    "aws:sqs/queue:Queue": Kind(
        _queue,
        exists(lambda existing: existing.client("sqs").get_queue_attributes(QueueUrl=existing.id)),
        lambda existing: existing.client("sqs").delete_queue(QueueUrl=existing.id),
        {**dict.fromkeys(_QUEUE, _put_queue), "tags": _queue_tags},
        NO_QUEUE,
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Kind(
        _queue_policy,
        exists(lambda existing: existing.client("sqs").get_queue_attributes(QueueUrl=existing.id)),
        lambda existing: existing.client("sqs").set_queue_attributes(
            QueueUrl=existing.id, Attributes={"Policy": ""}
        ),
        {"policy": _queue_policy},
        NO_QUEUE,
    ),
    "aws:sns/topic:Topic": Kind(
        _topic,
        exists(lambda existing: existing.client("sns").get_topic_attributes(TopicArn=existing.id)),
        lambda existing: existing.client("sns").delete_topic(TopicArn=existing.id),
        {"kmsMasterKeyId": _topic_key, "tags": _topic_tags},
        NO_TOPIC,
    ),
    "aws:sns/topicPolicy:TopicPolicy": Kind(
        _topic_policy,
        exists(lambda existing: existing.client("sns").get_topic_attributes(TopicArn=existing.id)),
        nothing,  # a topic is never without a policy, and its topic is deleted next
        {"policy": _topic_policy},
        NO_TOPIC,
    ),
    "aws:sns/topicSubscription:TopicSubscription": Kind(
        _subscription,
        exists(
            lambda existing: existing.client("sns").get_subscription_attributes(
                SubscriptionArn=existing.id
            )
        ),
        lambda existing: existing.client("sns").unsubscribe(SubscriptionArn=existing.id),
        absent=NO_TOPIC,
    ),
}
